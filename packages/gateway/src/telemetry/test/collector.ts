import { SpanBatch, toPlain } from '@clew/model';
import type { AttributeValue, PlainSpan } from '@clew/model';
import { GrpcCode, NetError, acquireListener, readDecodedBody, rpcStatus } from '@clew/net';
import type { HttpReply, ListenerLease } from '@clew/net';
import { decodeThriftBatch } from '@clew/wire/jaeger';
import { decodeTraces, decodeTracesJson, encodePartialSuccess } from '@clew/wire/otlp';
import { decodeZipkinV2Json } from '@clew/wire/zipkin';

/** How a test collector answers. */
export type CollectorMood = 'accepting' | 'unavailable' | 'refusing' | 'rejecting one';

/** A tracing backend that takes every format on one port. */
export interface TestCollector {
  readonly port: number;
  readonly spans: PlainSpan[];
  readonly requests: { readonly path: string; readonly headers: Readonly<Record<string, unknown>> }[];
  mood: CollectorMood;
  close(): Promise<void>;
}

const decoders: Readonly<Record<string, (bytes: Uint8Array, batch: SpanBatch) => unknown>> = {
  'application/x-protobuf': decodeTraces,
  'application/json /v1/traces': decodeTracesJson,
  'application/json /api/v2/spans': (bytes, batch) => decodeZipkinV2Json(bytes, batch),
  'application/x-thrift': (bytes, batch) => decodeThriftBatch(bytes, batch),
};

/** Listens on `port`, 0 for any. */
export async function startCollector(port = 0): Promise<TestCollector> {
  const lease = await acquireListener({ endpoint: { transport: 'tcp4', host: '127.0.0.1', port }, owner: 'test' });
  const collector: TestCollector = {
    port: boundPort(lease),
    spans: [],
    requests: [],
    mood: 'accepting',
    close: () => lease.release({ graceMs: 100 }),
  };
  lease.mountHttp({
    paths: ['/*'],
    handler: async (request) => {
      const body = await readDecodedBody(request, { maxBytes: 1e7, limitSetting: 'test' });
      collector.requests.push({ path: request.path, headers: request.headers });
      if (collector.mood === 'unavailable') return { status: 503 };
      if (collector.mood === 'refusing') return { status: 400, body: 'not today' };
      const type = String(request.header('content-type'));
      take(collector, decoders[type] ?? decoders[`${type} ${request.path}`]!, body);
      return { status: type.includes('thrift') ? 202 : 200 } satisfies HttpReply;
    },
  });
  lease.mountGrpc({
    name: 'opentelemetry.proto.collector.trace.v1.TraceService',
    methods: {
      Export: {
        kind: 'unary',
        handle(message, call) {
          collector.requests.push({ path: call.path, headers: call.headers });
          if (collector.mood === 'unavailable') throw failed(GrpcCode.unavailable);
          if (collector.mood === 'refusing') throw failed(GrpcCode.invalidArgument);
          take(collector, decodeTraces, message);
          if (collector.mood !== 'rejecting one') return new Uint8Array(0);
          return encodePartialSuccess({ rejected: 1n, message: 'one was too old' }, 'protobuf', 'traces');
        },
      },
    },
  });
  return collector;
}

function take(
  collector: TestCollector,
  decode: (bytes: Uint8Array, batch: SpanBatch) => unknown,
  body: Uint8Array,
): void {
  const batch = new SpanBatch();
  decode(body, batch);
  collector.spans.push(...toPlain(batch));
}

function failed(code: GrpcCode): NetError {
  return new NetError('rpc_failed', 'no', { status: rpcStatus(code, 'no') });
}

function boundPort({ address }: ListenerLease): number {
  if (address.transport !== 'tcp') throw new Error('no port');
  return address.port;
}

/** Attributes of a span, an event or a resource by their keys. */
export function attributesOf({ attributes }: Pick<PlainSpan, 'attributes'>): Readonly<Record<string, AttributeValue>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value]));
}
