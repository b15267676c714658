import {
  fromPlain,
  type AttributeValue,
  type PlainSpan,
  type SpanBatch,
  spanIdOf,
  traceIdOf,
  unixNano,
} from '@clew/model';

/** A moment all tests share: nanoseconds since 1970, at the start of a minute. */
export const NOON = 1_795_003_200_000_000_000n;

/** What a test says about a span; the rest is ordinary. */
export interface SpanSketch {
  readonly trace: number;
  readonly span?: number;
  readonly parent?: number;
  readonly service?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly status?: number;
  /** Start after NOON, and duration, in milliseconds. */
  readonly atMs?: number;
  readonly ms?: number;
  readonly startUnixNano?: bigint;
  readonly tags?: readonly (readonly [string, AttributeValue])[];
  readonly resourceTags?: readonly (readonly [string, AttributeValue])[];
  readonly eventTags?: readonly (readonly [string, AttributeValue])[];
  readonly linkTags?: readonly (readonly [string, AttributeValue])[];
  readonly scopeTags?: readonly (readonly [string, AttributeValue])[];
  readonly scopeName?: string;
  /** Name of the event that has `eventTags`; `log` when left out. */
  readonly eventName?: string;
}

/** The id of trace `n`, 32 hex digits. */
export function traceIdText(n: number): string {
  return n.toString(16).padStart(32, '0');
}

/** A batch of the sketched spans. */
export function batchOf(...sketches: readonly SpanSketch[]): SpanBatch {
  return fromPlain(sketches.map((sketch, index) => plain(sketch, index)));
}

function plain(sketch: SpanSketch, index: number): PlainSpan {
  const start = sketch.startUnixNano ?? NOON + BigInt(Math.round((sketch.atMs ?? 0) * 1e6));
  const attributes = (list: SpanSketch['tags'] = []): { key: string; value: AttributeValue }[] =>
    list.map(([key, value]) => ({ key, value }));
  const service = sketch.service ?? 'shop';
  const id = (n: number): string => n.toString(16).padStart(16, '0');
  return {
    resource: {
      attributes: attributes([['service.name', service], ...(sketch.resourceTags ?? [])]),
      droppedAttributes: 0,
      schemaUrl: '',
      entityRefs: new Uint8Array(0),
    },
    scope: {
      name: sketch.scopeName ?? '',
      version: '',
      attributes: attributes(sketch.scopeTags),
      droppedAttributes: 0,
      schemaUrl: '',
    },
    traceId: traceIdOf(traceIdText(sketch.trace)),
    spanId: spanIdOf(id(sketch.span ?? sketch.trace * 1000 + index + 1)),
    parentSpanId: sketch.parent === undefined ? '' : spanIdOf(id(sketch.parent)),
    traceState: '',
    flags: 0,
    name: sketch.name ?? 'work',
    kind: sketch.kind ?? 1,
    startUnixNano: unixNano(start),
    endUnixNano: unixNano(start + BigInt(Math.round((sketch.ms ?? 10) * 1e6))),
    statusCode: sketch.status ?? 0,
    statusMessage: '',
    attributes: attributes(sketch.tags),
    droppedAttributes: 0,
    events:
      sketch.eventTags === undefined
        ? []
        : [
            {
              timeUnixNano: unixNano(start),
              name: sketch.eventName ?? 'log',
              attributes: attributes(sketch.eventTags),
              droppedAttributes: 0,
            },
          ],
    droppedEvents: 0,
    links:
      sketch.linkTags === undefined
        ? []
        : [
            {
              traceId: traceIdOf(traceIdText(9999)),
              spanId: spanIdOf(id(9999)),
              traceState: '',
              flags: 0,
              attributes: attributes(sketch.linkTags),
              droppedAttributes: 0,
            },
          ],
    droppedLinks: 0,
  };
}
