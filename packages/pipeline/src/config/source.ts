import { readFile } from 'node:fs/promises';
import { errorMessage } from '@clew/base';
import { mergeNodes } from './merge.ts';
import { mapNode } from './node.ts';
import type { ConfigNode } from './node.ts';
import type { Problem, SourcePosition } from './problem.ts';
import { parseYaml } from './yaml.ts';

/** What reading sources may touch; everything has a default that is the real thing. */
export interface SourceAccess {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly readFile?: (path: string) => Promise<string>;
  /** Fetches `http` and `https` sources; must reject on a status that is not a success. */
  readonly fetchText?: (url: string) => Promise<string>;
}

/** What a location URI leads to. `text` is null for an environment variable that is not set. */
export interface Fetched {
  readonly source: string;
  readonly text: string | null;
  /** Whether `::` in the text's keys nests. */
  readonly nestedKeys: boolean;
}

/** How a location is written: a scheme of at least two letters (one is a drive of Windows), then anything. */
const locationPattern = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;

const variableName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Bytes a source may have. */
export const maxSourceBytes = 16 * 2 ** 20;

/** Reads what a location URI names. Throws an `Error` with the reference collector's sentence. */
export async function fetchLocation(uri: string, access: SourceAccess): Promise<Fetched> {
  const [, scheme = 'file', opaque = uri] = locationPattern.exec(uri) ?? [];
  switch (scheme) {
    case 'file':
      return { source: opaque, text: await readSource(opaque, access), nestedKeys: false };
    case 'env':
      return { source: uri, text: readVariable(opaque, access), nestedKeys: false };
    case 'yaml':
      return { source: uri, text: opaque, nestedKeys: true };
    case 'http':
    case 'https':
      return { source: uri, text: limited(await (access.fetchText ?? fetchText)(uri), uri), nestedKeys: false };
    default:
      throw new Error(`scheme ${JSON.stringify(scheme)} is not supported for uri ${JSON.stringify(uri)}`);
  }
}

function readVariable(opaque: string, access: SourceAccess): string | null {
  const split = opaque.indexOf(':-');
  const name = split < 0 ? opaque : opaque.slice(0, split);
  if (!variableName.test(name)) {
    throw new Error(
      `environment variable ${JSON.stringify(name)} has invalid name: must match regex ${variableName.source}`,
    );
  }
  const value = (access.env ?? process.env)[name];
  if (value !== undefined) return value;
  return split < 0 ? null : opaque.slice(split + 2);
}

async function readSource(path: string, access: SourceAccess): Promise<string> {
  try {
    return limited(await (access.readFile ?? ((file: string) => readFile(file, 'utf8')))(path), path);
  } catch (error) {
    throw new Error(`unable to read the file ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`unable to fetch ${url}: the server answered ${response.status}`);
  return response.text();
}

function limited(text: string, source: string): string {
  if (text.length <= maxSourceBytes) return text;
  throw new Error(
    `${source} has ${text.length} characters, more than the ${maxSourceBytes} a configuration source may have`,
  );
}

/** One source as a tree, or what is wrong with it. */
export async function loadSource(uri: string, access: SourceAccess): Promise<ConfigNode | Problem[]> {
  let fetched: Fetched;
  try {
    fetched = await fetchLocation(uri, access);
  } catch (error) {
    return [
      {
        phase: 'get',
        severity: 'error',
        message: `cannot resolve the configuration: ${errorMessage(error)}`,
        path: [],
      },
    ];
  }
  const parsed = parseYaml(fetched.text ?? '', fetched.source);
  if (!parsed.ok) return [...parsed.problems];
  return requireMap(fetched.nestedKeys ? nestKeys(parsed.root) : parsed.root);
}

/** `--set a.b.c=value` as a tree, or what is wrong with it. */
export function parseSet(argument: string): ConfigNode | Problem[] {
  const equal = argument.indexOf('=');
  const problem = (message: string): Problem[] => [{ phase: 'get', severity: 'error', message, path: [] }];
  if (equal < 0) return problem(`--set ${argument}: missing equal sign; write --set path.to.key=value`);
  const key = argument.slice(0, equal).trim();
  if (key === '') return problem(`--set ${argument}: empty key; write --set path.to.key=value`);
  const position: SourcePosition = { source: `--set ${key}` };
  const parsed = parseYaml(argument.slice(equal + 1), position.source, position);
  if (!parsed.ok) return [...parsed.problems];
  const steps = key.split(/\.|::/);
  return steps.reduceRight<ConfigNode>(
    (value, step) => mapNode([[step, { keyPosition: position, value }]], position),
    parsed.root,
  );
}

function requireMap(root: ConfigNode): ConfigNode | Problem[] {
  if (root.kind === 'map') return root;
  if (root.kind === 'scalar' && root.value === null) return mapNode([], root.position);
  const message =
    'cannot resolve the configuration: the top level of a source must be a map of sections such as receivers and service';
  return [{ phase: 'get', severity: 'error', message, path: [], position: root.position }];
}

/** Splits keys at `::` into nested maps, on every level. */
function nestKeys(node: ConfigNode): ConfigNode {
  if (node.kind === 'list') return { ...node, items: node.items.map(nestKeys) };
  if (node.kind !== 'map') return node;
  let root: ConfigNode = mapNode([], node.position);
  for (const [key, { keyPosition, value }] of node.entries) {
    const nested = key
      .split('::')
      .reduceRight<ConfigNode>(
        (child, step) => mapNode([[step, { keyPosition, value: child }]], keyPosition),
        nestKeys(value),
      );
    root = mergeNodes(root, nested);
  }
  return root;
}
