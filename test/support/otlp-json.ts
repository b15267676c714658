import { SpanBatch } from '@clew/model';
import { decodeTracesJson, encodeTraces } from '@clew/wire/otlp';

/** OTLP as JSON, as far as tests build and read it. */
export interface OtlpAnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly OtlpAnyValue[] };
}

/** An attribute. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpAnyValue;
}

/** A span. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind?: number;
  readonly flags?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly OtlpAttribute[];
  readonly events?: readonly {
    readonly timeUnixNano: string;
    readonly name: string;
    readonly attributes?: readonly OtlpAttribute[];
    readonly droppedAttributesCount?: number;
  }[];
  readonly droppedAttributesCount?: number;
  readonly droppedEventsCount?: number;
  readonly droppedLinksCount?: number;
  readonly links?: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly flags?: number;
    readonly attributes?: readonly OtlpAttribute[];
    readonly droppedAttributesCount?: number;
  }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

/** `ExportTraceServiceRequest`. */
export interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name: string; readonly version?: string };
      readonly spans: readonly OtlpSpan[];
    }[];
  }[];
}

/** A trace id that holds a number, so that failures can be read. */
export function traceIdOf(family: number, index: number): string {
  return family.toString(16).padStart(16, 'c').slice(-16) + (index + 1).toString(16).padStart(16, '0');
}

/** A request with one span per trace id, from one service, at one time. */
export function requestOf(
  service: string,
  traceIds: readonly string[],
  startUnixNano: bigint = BigInt(Date.now()) * 1_000_000n,
): OtlpTraces {
  const spans = traceIds.map((traceId) => ({
    traceId,
    spanId: traceId.slice(16),
    name: 'work',
    kind: 2,
    startTimeUnixNano: startUnixNano.toString(),
    endTimeUnixNano: (startUnixNano + 1_500_000n).toString(),
    attributes: [{ key: 'order.id', value: { stringValue: traceId } }],
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'test' }, spans }] }] };
}

/** Posts JSON to the OTLP receiver. */
export function postJson(httpPort: number, request: OtlpTraces): Promise<Response> {
  return fetch(`http://127.0.0.1:${httpPort}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
}

/** The same request in protobuf. */
export function asProtobuf(request: OtlpTraces): Uint8Array {
  const batch = new SpanBatch();
  decodeTracesJson(Buffer.from(JSON.stringify(request)), batch);
  return encodeTraces(batch);
}
