import type { AttributeValue, KeyValue } from '@clew/model';

/**
 * A trace as the adjusters work on it: a decoded copy that may be changed. The store is never changed.
 * Ids are lower-case hex, 32 and 16 digits; an absent id is the empty string.
 */
export interface AdjustableSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  name: string;
  /** OTLP number. */
  kind: number;
  startNano: bigint;
  endNano: bigint;
  /** OTLP number. */
  statusCode: number;
  statusMessage: string;
  flags: number;
  attributes: KeyValue[];
  events: AdjustableEvent[];
  links: AdjustableLink[];
  /** Shared by every span of the same resource in a batch. */
  resource: AdjustableResource;
  /** Shared like the resource. */
  scope: AdjustableScope;
  warnings: string[];
}

/** Something that happened within a span. */
export interface AdjustableEvent {
  timeNano: bigint;
  name: string;
  attributes: KeyValue[];
}

/** A reference from a span to another. */
export interface AdjustableLink {
  traceId: string;
  spanId: string;
  attributes: KeyValue[];
}

/** Who sent a span. */
export interface AdjustableResource {
  attributes: KeyValue[];
}

/** Which library recorded a span. */
export interface AdjustableScope {
  name: string;
  version: string;
  attributes: KeyValue[];
}

/** One pass over a trace. Changes spans in place and returns those to keep. */
export type Adjuster = (spans: AdjustableSpan[]) => AdjustableSpan[];

/** The value of the first attribute with `key`, or undefined. */
export function attributeOf(attributes: readonly KeyValue[], key: string): AttributeValue | undefined {
  return attributes.find((attribute) => attribute.key === key)?.value;
}

/** The distinct objects that `pick` finds over all spans. */
export function distinct<T>(spans: readonly AdjustableSpan[], pick: (span: AdjustableSpan) => T): T[] {
  return [...new Set(spans.map(pick))];
}
