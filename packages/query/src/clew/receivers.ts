import type { ReceiverCounters, ReceiverProtocol, ReceiverStatus } from '@clew/api';
import type { GraphSnapshot } from '@clew/pipeline';

/** What a receiver says of a listener in its snapshot. */
interface ListenerEntry {
  readonly protocol: ReceiverProtocol;
  readonly address: string;
  readonly counters: ReceiverCounters;
}

const httpProtocols: ReadonlySet<string> = new Set(['otlp_http', 'otlp_grpc', 'jaeger_http', 'zipkin']);

const datagramProtocols: ReadonlySet<string> = new Set([
  'jaeger_udp_compact',
  'jaeger_udp_binary',
  'jaeger_udp_zipkin_compact',
  'awsxray',
]);

const notAcknowledged = { means: 'none', reason: 'datagrams are answered to nobody' } as const;

/** Every listening address of the running receivers, with what its acknowledgement means and what it has seen. */
export function receiverStatuses(graph: GraphSnapshot | undefined): ReceiverStatus[] {
  if (graph === undefined) return [];
  const statuses = graph.nodes
    .filter(({ kind }) => kind === 'receiver')
    .flatMap(({ id, details }) => {
      const promised = acknowledgementOf(graph, id);
      return listenersOf(details).map(({ protocol, address, counters }) => {
        const reachable = reachableAddress(address);
        const acknowledged = datagramProtocols.has(protocol) ? notAcknowledged : promised;
        const url = httpProtocols.has(protocol) ? `http://${reachable}` : reachable;
        return { id, protocol, address: reachable, url, acknowledged, counters };
      });
    });
  // HTTP first: it is what the snippets of a newcomer use.
  return statuses.sort((a, b) => Number(a.protocol !== 'otlp_http') - Number(b.protocol !== 'otlp_http'));
}

function listenersOf(details: Readonly<Record<string, unknown>>): readonly ListenerEntry[] {
  const { listeners } = details as { readonly listeners?: readonly ListenerEntry[] };
  return listeners ?? [];
}

function acknowledgementOf(graph: GraphSnapshot, id: string): ReceiverStatus['acknowledged'] {
  const found = graph.acknowledgements.find(({ receiver }) => receiver === id);
  if (found === undefined) return { means: 'none', reason: 'no pipeline takes its spans' };
  const { durability } = found;
  return durability.kind === 'durable' ? { means: 'durable' } : { means: 'memory', reason: durability.why };
}

/** An address a client on this machine can use: a wildcard is everywhere. */
function reachableAddress(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, '127.0.0.1');
}

/** Accepted and refused spans of all receivers together. */
export function totals(receivers: readonly ReceiverStatus[]): { readonly accepted: number; readonly refused: number } {
  const sum = (pick: (counters: ReceiverCounters) => number) =>
    receivers.reduce((total, { counters }) => total + pick(counters), 0);
  return { accepted: sum((c) => c.acceptedSpans), refused: sum((c) => c.refusedSpans) };
}
