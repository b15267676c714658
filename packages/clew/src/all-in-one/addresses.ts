import type { GraphSnapshot } from '@clew/pipeline';

/** Where a running all-in-one is reached and keeps its data, as somebody on this machine would write it. Absent is what does not run. */
export interface Addresses {
  /** Host and port of the page and the APIs. */
  readonly query?: string;
  readonly otlpHttp?: string;
  readonly otlpGrpc?: string;
  readonly jaegerHttp?: string;
  readonly jaegerGrpc?: string;
  /** Where Thrift datagrams are received, in the order of the configuration. */
  readonly jaegerUdp?: readonly string[];
  readonly zipkin?: string;
  readonly dataDirectory?: string;
}

/** What components say of their listeners in their snapshots. */
interface Listening {
  readonly address?: string;
  readonly directory?: string;
  readonly listeners?: readonly { readonly protocol: string; readonly address: string }[];
}

/** Reads the addresses off the running components, for a configuration file may have changed any of them. */
export function addressesOf(graph: GraphSnapshot | undefined): Addresses {
  const nodes = graph?.nodes.map(({ type, details }) => ({ type, details: details as Listening })) ?? [];
  const listeners = nodes.flatMap(({ details }) => details.listeners ?? []);
  const of = (protocol: string) => listeners.find((listener) => listener.protocol === protocol)?.address;
  const detailsOf = (wanted: string) => nodes.find(({ type }) => type === wanted)?.details;
  const found = {
    query: detailsOf('clew_query')?.address,
    otlpHttp: of('otlp_http'),
    otlpGrpc: of('otlp_grpc'),
    jaegerHttp: of('jaeger_http'),
    jaegerGrpc: of('jaeger_grpc'),
    zipkin: of('zipkin'),
    dataDirectory: detailsOf('clew_storage')?.directory,
  };
  const datagrams = listeners.filter(({ protocol }) => protocol.startsWith('jaeger_udp_'));
  return {
    ...Object.fromEntries(
      Object.entries(found).flatMap(([name, address]) => (address === undefined ? [] : [[name, reachable(address)]])),
    ),
    ...(datagrams.length > 0 ? { jaegerUdp: datagrams.map(({ address }) => reachable(address)) } : {}),
  };
}

/** A wildcard address is everywhere, and localhost is what people can open. */
export function reachable(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, 'localhost');
}
