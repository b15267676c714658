/** An endpoint as Zipkin writes it. */
interface Endpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

/** A span of version 1 or 2, JSON as sent or Thrift as the companions of captures write it. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly traceIdHigh?: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind?: string;
  readonly timestamp?: number;
  readonly timestampUs?: string;
  readonly duration?: number;
  readonly durationUs?: string;
  readonly localEndpoint?: Endpoint;
  readonly remoteEndpoint?: Endpoint;
  readonly tags?: Readonly<Record<string, string>>;
  readonly annotations?: readonly {
    readonly timestamp?: number;
    readonly timestampUs?: string;
    readonly value: string;
    readonly endpoint?: Endpoint;
    readonly host?: Endpoint;
  }[];
  readonly binaryAnnotations?: readonly {
    readonly key: string;
    readonly value: unknown;
    readonly endpoint?: Endpoint;
    readonly host?: Endpoint;
  }[];
}

const coreKinds: Readonly<Record<string, string>> = {
  cs: 'client',
  cr: 'client',
  sr: 'server',
  ss: 'server',
  ms: 'producer',
  ws: 'producer',
  mr: 'consumer',
  wr: 'consumer',
};
const addressKeys = ['sa', 'ca', 'ma'];

/** What Jaeger's JSON must say of spans that Zipkin clients sent. Written from the documented mapping, apart from the program's. */
export function expectedOfZipkin(spans: readonly ZipkinSpan[]) {
  return spans.map((span) => {
    const annotations = span.annotations ?? [];
    const core = annotations.filter(({ value }) => value in coreKinds);
    const peer =
      span.remoteEndpoint ?? endpointOf((span.binaryAnnotations ?? []).find(({ key }) => addressKeys.includes(key)));
    const tags: [string, string][] = [
      ...Object.entries(span.tags ?? {}),
      ...(span.binaryAnnotations ?? [])
        .filter(({ key }) => !addressKeys.includes(key))
        .map(({ key, value }): [string, string] => [key, String(value)]),
      ...(peer?.serviceName ? [['service.peer.name', peer.serviceName] as [string, string]] : []),
      ...(peer?.ipv4 ? [['network.peer.address', peer.ipv4] as [string, string]] : []),
    ];
    const kind = span.kind?.toLowerCase() ?? coreKinds[core[0]?.value ?? ''];
    if (kind !== undefined) tags.push(['span.kind', kind]);
    return {
      traceId: traceIdOf(span),
      spanId: span.id,
      parentId: span.parentId,
      operationName: span.name,
      startTime: Number(span.timestamp ?? span.timestampUs),
      duration: Number(span.duration ?? span.durationUs),
      service: serviceOf(span),
      tags,
      annotations: annotations
        .filter(({ value }) => !(value in coreKinds))
        .map(({ timestamp, timestampUs, value }) => [Number(timestamp ?? timestampUs), value]),
    };
  });
}

function traceIdOf({ traceId, traceIdHigh }: ZipkinSpan): string {
  return traceIdHigh === undefined || /^0*$/.test(traceIdHigh) ? traceId : traceIdHigh + traceId;
}

function serviceOf(span: ZipkinSpan): string | undefined {
  const places = [
    span.localEndpoint,
    ...(span.annotations ?? []).map(endpointOf),
    ...(span.binaryAnnotations ?? []).map(endpointOf),
  ];
  return places.find((endpoint) => endpoint?.serviceName !== undefined)?.serviceName;
}

function endpointOf(
  holder: { readonly endpoint?: Endpoint; readonly host?: Endpoint } | undefined,
): Endpoint | undefined {
  return holder?.endpoint ?? holder?.host;
}
