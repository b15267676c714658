import type { Attribute, SpanEvent, SpanLink } from '@clew/api';

/** A span of the fake store. Times are nanoseconds; `startNano` counts from the start of its trace. */
export interface FakeSpan {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly service: string;
  readonly name: string;
  readonly kind: number;
  readonly startNano: number;
  durationNano: number;
  status: { readonly code: number; readonly message?: string };
  readonly attributes: Attribute[];
  readonly events: SpanEvent[];
  readonly links: SpanLink[];
}

/** A trace of the fake store. */
export interface FakeTrace {
  readonly traceId: string;
  readonly startUnixNano: bigint;
  readonly spans: FakeSpan[];
  readonly story: string;
  /** Until when the trace grows: spans that end later than now are not served yet. */
  readonly growsUntilUnixMs?: number;
}

/** A text attribute. */
export function text(key: string, value: string): Attribute {
  return { key, value: { type: 'string', value } };
}

/** An integer attribute. */
export function int(key: string, value: number | bigint): Attribute {
  return { key, value: { type: 'int', value: String(value) } };
}

/** A boolean attribute. */
export function bool(key: string, value: boolean): Attribute {
  return { key, value: { type: 'bool', value } };
}

/** The value of an attribute as text, undefined when it is absent. */
export function valueText(attributes: readonly Attribute[], key: string): string | undefined {
  const found = attributes.find((attribute) => attribute.key === key)?.value;
  if (found === undefined || found.type === 'empty') return undefined;
  return typeof found.value === 'object' ? JSON.stringify(found.value) : String(found.value);
}
