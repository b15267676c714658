import type { KdlNode, KdlValue } from '../kdl/node.ts';
import type { ConfigProblem } from '../kdl/problem.ts';

/** `${NAME}`, `${NAME:-default}`, and `$${`, which stands for `${`. Anything else with a dollar is text. */
const expression = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** Puts environment variables into the quoted strings of `nodes`; raw strings and names are left alone. */
export function substituteEnvironment(
  nodes: readonly KdlNode[],
  env: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): readonly KdlNode[] {
  const substitute = (value: KdlValue): KdlValue => {
    const { value: written } = value;
    if (typeof written !== 'string' || !value.quoted || !written.includes('${')) return value;
    const matches = [...written.matchAll(expression)];
    let unresolved = false;
    const replaced = written.replaceAll(expression, (whole, name: string | undefined, fallback: string | undefined) => {
      if (name === undefined) return '${';
      const found = env[name] ?? fallback;
      if (found !== undefined) return found;
      problems.push(unset(name, value));
      unresolved = true;
      return whole;
    });
    const wholly = matches.length === 1 && matches[0]![0] === written && matches[0]![1] !== undefined;
    return {
      ...value,
      value: replaced,
      ...(wholly ? { fromEnvironment: true } : {}),
      ...(unresolved ? { unresolved } : {}),
    };
  };
  const visit = (node: KdlNode): KdlNode => ({
    ...node,
    arguments: node.arguments.map(substitute),
    properties: node.properties.map((property) => ({ ...property, value: substitute(property.value) })),
    children: node.children.map(visit),
  });
  return nodes.map(visit);
}

function unset(name: string, { position }: KdlValue): ConfigProblem {
  return {
    severity: 'error',
    code: 'environment',
    message: `environment variable ${name} is not set and has no default`,
    position,
    help: `set it, write \${${name}:-default}, or write $\${${name}} for the text itself`,
  };
}
