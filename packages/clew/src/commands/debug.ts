import type { GraphSnapshot } from '@clew/pipeline';
import type { Command } from '../cli/command.ts';
import { ClewError } from '../errors.ts';
import { apiUrl, requestJson, requestText, urlOption } from './api-client.ts';

const views = ['graph', 'storage', 'queries', 'config'] as const;

/** What the storage extension says of itself, as far as it is shown here. */
interface StorageDetails {
  readonly directory?: string;
  readonly journal?: Readonly<Record<string, unknown>>;
  readonly writer?: Readonly<Record<string, unknown>>;
  readonly engine?: {
    readonly state: { readonly kind: string; readonly pid?: number };
    readonly version?: string;
    readonly restarts: number;
    readonly queues: Readonly<
      Record<string, { readonly running: number; readonly waiting: number; readonly refused: number }>
    >;
    readonly running: readonly { readonly class: string; readonly comment: string; readonly elapsedMs: number }[];
  };
}

/** `clew debug`: the inside of a running Clew. */
export const debugCommand: Command = {
  name: 'debug',
  summary: 'Show the inside of a running Clew: pipelines, queues, journal, running queries, configuration.',
  usage: `debug [${views.join(' | ')}] [--url URL]`,
  options: { url: urlOption, json: { type: 'boolean', help: 'Print the snapshot as JSON.' } },
  examples: ['clew debug', 'clew debug queries', 'clew debug config'],
  positionals: { min: 0, max: 1 },
  async run(input, io) {
    const view = input.positionals[0] ?? 'graph';
    const known = views.find((name) => name === view);
    if (known === undefined)
      throw new ClewError('usage', `"${view}" is unknown; it must be one of ${views.join(', ')}`);
    const url = apiUrl(input.text('url'), io.env);
    if (known === 'config') {
      io.stdout.write(await requestText(`${url}/debug/config`, { signal: io.signal }));
      return 0;
    }
    const graph = await requestJson<GraphSnapshot>(`${url}/debug/graph`, { signal: io.signal });
    if (input.flag('json')) io.stdout.write(`${JSON.stringify(graph, null, 2)}\n`);
    else io.stdout.write(`${texts[known](graph).join('\n')}\n`);
    return 0;
  },
};

const texts = {
  graph: graphLines,
  storage: (graph: GraphSnapshot) => storageLines(storageOf(graph)),
  queries: (graph: GraphSnapshot) => queryLines(storageOf(graph)),
} as const;

/** Every component with its health, and where its data goes. */
function graphLines(graph: GraphSnapshot): string[] {
  const width = Math.max(...graph.nodes.map(({ key }) => key.length));
  const nodes = graph.nodes.map(({ key, status, error, placement }) => {
    const next = graph.edges.filter(({ from }) => from === key).map(({ to }) => to);
    const arrow = next.length === 0 ? '' : `→ ${next.join(', ')}`;
    return `${key.padEnd(width)}  ${status.padEnd(12)}${placement.padEnd(11)}${error ?? arrow}`;
  });
  const promises = graph.acknowledgements.map(({ receiver, text }) => `${receiver}: ${text}`);
  return [`pipelines are ${graph.state}`, '', ...nodes, '', ...promises];
}

function storageOf(graph: GraphSnapshot): StorageDetails {
  const node = graph.nodes.find(({ type }) => type === 'clew_storage');
  if (node === undefined) throw new ClewError('not_found', 'this Clew runs without storage');
  return node.details as StorageDetails;
}

function storageLines({ directory, journal, writer, engine }: StorageDetails): string[] {
  return [
    `directory  ${directory ?? ''}`,
    ...section('journal', journal),
    ...section('writer', writer),
    ...section(
      'engine',
      engine && { state: engine.state.kind, pid: engine.state.pid, version: engine.version, restarts: engine.restarts },
    ),
  ];
}

function queryLines({ engine }: StorageDetails): string[] {
  if (engine === undefined) return ['the engine is not running'];
  const queues = Object.entries(engine.queues).map(
    ([name, queue]) => `${name.padEnd(9)}${queue.running} running, ${queue.waiting} waiting, ${queue.refused} refused`,
  );
  const running = engine.running.map(
    ({ class: name, comment, elapsedMs }) =>
      `${name.padEnd(9)}${String(Math.round(elapsedMs)).padStart(7)} ms  ${comment}`,
  );
  return [...queues, '', ...(running.length === 0 ? ['no query is running'] : running)];
}

function section(title: string, values: Readonly<Record<string, unknown>> | undefined): string[] {
  if (values === undefined) return [];
  const rows = Object.entries(values).map(
    ([key, value]) => `  ${key.padEnd(26)}${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return ['', title, ...rows];
}
