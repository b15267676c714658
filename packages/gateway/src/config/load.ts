import { errorMessage } from '@clew/base';
import type { ConfigProblem } from '../kdl/problem.ts';
import { gatherNodes } from './include.ts';
import type { ConfigIo } from './io.ts';
import type { GatewayConfig } from './model.ts';
import { resolveReferences } from './references.ts';
import { root } from './schema/root.ts';
import { Reader, invalid } from './table/reader.ts';

/** Where a configuration comes from: a file, or its text with the name to use for it in messages. */
export type ConfigSource = { readonly path: string } | { readonly text: string; readonly name: string };

/** A configuration, unless `problems` holds an error. */
export interface LoadedConfig {
  readonly config?: GatewayConfig;
  /** Errors and warnings by place: file by file, from top to bottom. */
  readonly problems: readonly ConfigProblem[];
  /** Every file that was read, also when something is wrong; these are worth watching. */
  readonly files: readonly string[];
}

/**
 * Reads a configuration and everything it includes, and checks all of it. Never rejects: what cannot be read is a problem
 * too. Nothing but the files themselves is looked at; {@link checkFiles} looks at what they name.
 */
export async function loadGatewayConfig(source: ConfigSource, io: ConfigIo): Promise<LoadedConfig> {
  const name = 'path' in source ? source.path : source.name;
  const format = /\.(json|toml|ya?ml)$/i.exec(name)?.[1];
  if (format !== undefined) {
    const message = `${name} looks like ${format.toUpperCase()}; configurations are read in KDL only`;
    return { problems: [{ severity: 'error', code: 'unsupported', message }], files: [name] };
  }
  let text: string;
  try {
    text = 'path' in source ? await io.readFile(source.path) : source.text;
  } catch (error) {
    const message = `cannot read ${name}: ${errorMessage(error)}`;
    return { problems: [{ severity: 'error', code: 'unreadable_file', message }], files: [name] };
  }
  const { nodes, problems, files } = await gatherNodes(text, name, io);
  // What nodes mean is only looked at when every file could be read: the rest would mostly be echo.
  if (problems.some(({ severity, code }) => severity === 'error' && code !== 'environment')) {
    return { problems: inOrder(problems, files), files };
  }
  const reader = new Reader([...problems]);
  const position = { file: name, line: 1, column: 1 };
  const raw = root.read({ name: '', position, arguments: [], properties: [], children: nodes }, reader);
  const config = raw === invalid ? undefined : resolveReferences(raw, files, reader);
  return { ...(config === undefined ? {} : { config }), problems: inOrder(reader.problems, files), files };
}

function inOrder(problems: readonly ConfigProblem[], files: readonly string[]): readonly ConfigProblem[] {
  const rank = ({ position }: ConfigProblem): number => (position === undefined ? -1 : files.indexOf(position.file));
  return problems.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0),
  );
}
