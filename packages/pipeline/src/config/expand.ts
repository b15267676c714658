import { errorMessage } from '@clew/base';
import { mapNode } from './node.ts';
import type { ConfigNode, MapEntry, ScalarNode } from './node.ts';
import type { Problem, SourcePosition } from './problem.ts';
import { fetchLocation } from './source.ts';
import type { SourceAccess } from './source.ts';
import { parseYaml } from './yaml.ts';

/** Expansions one value may need before it is taken for a loop. */
export const maxExpansions = 1000;

/** A tree with every `${…}` replaced, and what was noticed on the way. */
export interface Expanded {
  readonly root: ConfigNode;
  readonly problems: readonly Problem[];
}

/** Replaces every `${scheme:value}` in the scalars of a tree; keys are left alone. */
export async function expandTree(root: ConfigNode, access: SourceAccess): Promise<Expanded> {
  const expander = new Expander(access);
  return { root: await expander.expand(root, [], { left: maxExpansions }), problems: expander.problems };
}

/** Shared by everything that grows out of one scalar of the configuration, so that a loop ends. */
interface Budget {
  left: number;
}

/** A value cut at its expressions; `$$` is already a single `$` in the text parts. */
type Segment =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'expression'; readonly inner: string };

class ExpansionError extends Error {}

class Expander {
  readonly problems: Problem[] = [];
  readonly #access: SourceAccess;

  constructor(access: SourceAccess) {
    this.#access = access;
  }

  async expand(node: ConfigNode, path: readonly string[], budget: Budget): Promise<ConfigNode> {
    if (node.kind === 'list') {
      const items: ConfigNode[] = [];
      for (const [index, item] of node.items.entries())
        items.push(await this.#branch(item, [...path, String(index)], budget));
      return { ...node, items };
    }
    if (node.kind === 'map') {
      const entries: (readonly [string, MapEntry])[] = [];
      for (const [key, entry] of node.entries) {
        entries.push([key, { ...entry, value: await this.#branch(entry.value, [...path, key], budget) }]);
      }
      return mapNode(entries, node.position);
    }
    return typeof node.value === 'string' && node.value.includes('$')
      ? this.#expandScalar(node, node.value, path, budget)
      : node;
  }

  /** A child of the configuration itself has a budget of its own; one inside an expanded value shares its value's. */
  #branch(node: ConfigNode, path: readonly string[], budget: Budget): Promise<ConfigNode> {
    return this.expand(node, path, budget.left === maxExpansions ? { left: maxExpansions } : budget);
  }

  async #expandScalar(node: ScalarNode, text: string, path: readonly string[], budget: Budget): Promise<ConfigNode> {
    try {
      const segments = split(text);
      const only = segments[0];
      if (segments.length === 1 && only?.kind === 'expression') {
        return await this.#whole(only.inner, node.position, path, budget);
      }
      let spliced = '';
      for (const segment of segments) {
        spliced +=
          segment.kind === 'text' ? segment.text : await this.#inline(segment.inner, node.position, path, budget);
      }
      return { kind: 'scalar', value: spliced, position: node.position };
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
      this.problems.push({
        phase: 'get',
        severity: 'error',
        message: `cannot resolve the configuration: ${error.message}`,
        path,
        position: node.position,
      });
      return { kind: 'scalar', value: null, position: node.position };
    }
  }

  /** The value of an expression that is all there is: typed, with the text it had. */
  async #whole(inner: string, position: SourcePosition, path: readonly string[], budget: Budget): Promise<ConfigNode> {
    const { uri, text } = await this.#fetch(inner, position, path, budget);
    const placed = { ...position, via: [...(position.via ?? []), uri] };
    if (text === null) return { kind: 'scalar', value: null, position: placed };
    const ownLines = uri.startsWith('file:') || uri.startsWith('http');
    const parsed = parseYaml(text, uri, ownLines ? undefined : placed);
    // What is not YAML is still text, as a password with a stray quote is.
    if (!parsed.ok) return this.#expandText({ kind: 'scalar', value: text, text, position: placed }, path, budget);
    const root = parsed.root;
    if (root.kind !== 'scalar') return this.expand(root, path, budget);
    // Text stays as it came, quotes and all; only numbers, booleans and null take on a type.
    const value = typeof root.value === 'string' ? text : root.value;
    return this.#expandText({ ...root, value, text, position: placed }, path, budget);
  }

  /** An expanded scalar may hold further expressions. */
  async #expandText(node: ScalarNode, path: readonly string[], budget: Budget): Promise<ConfigNode> {
    if (typeof node.value !== 'string' || !hasExpression(node.value)) return node;
    return this.#expandScalar(node, node.value, path, budget);
  }

  /** The text an expression stands for inside other text. */
  async #inline(inner: string, position: SourcePosition, path: readonly string[], budget: Budget): Promise<string> {
    const { uri, text } = await this.#fetch(inner, position, path, budget);
    if (text === null) return '';
    const parsed = parseYaml(text, uri, position);
    if (parsed.ok && parsed.root.kind !== 'scalar') {
      const kind = parsed.root.kind === 'map' ? 'a map' : 'a list';
      throw new ExpansionError(`\${${inner}} is ${kind} and can only be used as a whole value, not inside text`);
    }
    if (!hasExpression(text)) return text;
    const expanded = await this.#expandScalar({ kind: 'scalar', value: text, position }, text, path, budget);
    return expanded.kind === 'scalar' ? (expanded.text ?? String(expanded.value ?? '')) : text;
  }

  async #fetch(
    inner: string,
    position: SourcePosition,
    path: readonly string[],
    budget: Budget,
  ): Promise<{ uri: string; text: string | null }> {
    if (budget.left-- <= 0) throw new ExpansionError('too many recursive expansions');
    // Innermost first: `${env:A_${env:B}}`.
    let resolved = '';
    for (const segment of split(inner)) {
      resolved += segment.kind === 'text' ? segment.text : await this.#inline(segment.inner, position, path, budget);
    }
    const uri = withScheme(resolved);
    const name = uri.replace(/:-.*$/s, '');
    if (name.includes('$'))
      throw new ExpansionError(`the uri ${JSON.stringify(uri)} contains unsupported characters ('$')`);
    try {
      const { text } = await fetchLocation(uri, this.#access);
      if (text === null) this.#warnUnset(uri.slice('env:'.length), position, path);
      // Files end in a line break that nobody means: a token in one must not carry it into a header.
      const isText = uri.startsWith('env:') || uri.startsWith('yaml:');
      return { uri: name, text: isText ? text : (text?.replace(/\r?\n$/, '') ?? null) };
    } catch (error) {
      throw new ExpansionError(errorMessage(error), { cause: error });
    }
  }

  #warnUnset(name: string, position: SourcePosition, path: readonly string[]): void {
    const message = `environment variable ${JSON.stringify(name)} is not set; it counts as empty. Set it, or write \${env:${name}:-default}`;
    this.problems.push({ phase: 'get', severity: 'warning', message, path, position });
  }
}

/** `NAME` and `NAME:-default` mean `env:`. */
function withScheme(text: string): string {
  return /^[A-Za-z][A-Za-z0-9+.-]+:(?!-)/s.test(text) ? text : `env:${text}`;
}

function hasExpression(text: string): boolean {
  return text.includes('${');
}

/** Cuts a value at its expressions. `$$` is an escaped `$`; a brace that never closes is text. */
function split(text: string): Segment[] {
  const segments: Segment[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$$', at)) {
      literal += '$';
      at += 2;
      continue;
    }
    const end = text.startsWith('${', at) ? closingBrace(text, at + 2) : -1;
    if (end < 0) {
      literal += text[at++];
      continue;
    }
    if (literal !== '') segments.push({ kind: 'text', text: literal });
    literal = '';
    segments.push({ kind: 'expression', inner: text.slice(at + 2, end) });
    at = end + 1;
  }
  if (literal !== '' || segments.length === 0) segments.push({ kind: 'text', text: literal });
  return segments;
}

/** Where the brace opened before `from` closes; inner expressions have braces of their own. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}
