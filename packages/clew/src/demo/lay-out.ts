import type { Call, DemoEvent, DemoValue } from './call.ts';
import type { Random } from './random.ts';

/** One finished demo span. Times are nanoseconds after the trace's start. */
export interface DemoSpan {
  readonly service: string;
  readonly spanId: Uint8Array;
  /** All zero for the root. */
  readonly parentId: Uint8Array;
  readonly name: string;
  readonly kind: Call['kind'];
  readonly startNano: number;
  readonly endNano: number;
  readonly attributes: Readonly<Record<string, DemoValue>>;
  readonly events: readonly {
    readonly name: string;
    readonly atNano: number;
    readonly attributes: Readonly<Record<string, DemoValue>>;
  }[];
  readonly error: string | undefined;
  /** Set when the span continues a message: the id of the producer's span, which it links to. */
  readonly linkTo: Uint8Array | undefined;
}

const nanosPerMs = 1e6;
const noParent = new Uint8Array(8);

/** Gives every call of the tree its times and ids. The first span is the root. */
export function layOut(root: Call, random: Random): DemoSpan[] {
  const spans: DemoSpan[] = [];
  place(root, noParent, 0, random, spans);
  return spans;
}

/** Places one call and everything below it; returns when it ends, in nanoseconds. */
function place(call: Call, parentId: Uint8Array, startNano: number, random: Random, spans: DemoSpan[]): number {
  const spanId = random.bytes(8);
  const index = spans.length;
  spans.push(undefined as never);
  const children = call.children ?? [];
  const attached = children.filter((child) => !child.detached);
  // Own time is spread evenly before, between and after the children.
  const gapNano = (call.ownMs * nanosPerMs) / (attached.length + 1);
  let cursor = startNano + gapNano;
  let endOfParallel = cursor;
  for (const child of attached) {
    const childStart = cursor + (child.afterMs ?? 0) * nanosPerMs;
    const childEnd = place(child, spanId, childStart, random, spans);
    endOfParallel = Math.max(endOfParallel, childEnd);
    if (!child.parallel) cursor = endOfParallel + gapNano;
  }
  const endNano = attached.length === 0 ? startNano + call.ownMs * nanosPerMs : Math.max(cursor, endOfParallel);
  for (const child of children) {
    if (child.detached) place(child, spanId, endNano + (child.afterMs ?? 0) * nanosPerMs, random, spans);
  }
  spans[index] = {
    service: call.service,
    spanId,
    parentId,
    name: call.name,
    kind: call.kind,
    startNano: Math.round(startNano),
    endNano: Math.round(endNano),
    attributes: call.attributes ?? {},
    events: (call.events ?? []).map((event) => placeEvent(event, startNano, endNano)),
    error: call.error,
    linkTo: call.detached ? parentId : undefined,
  };
  return endNano;
}

function placeEvent(event: DemoEvent, startNano: number, endNano: number) {
  const atNano = Math.round(startNano + (endNano - startNano) * event.atShare);
  return { name: event.name, atNano, attributes: event.attributes ?? {} };
}
