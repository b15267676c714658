import type { SpanId, TraceId } from '@clew/model';
import { lowerCaseHeaders } from '../carriers/http-headers.ts';
import type { HeaderObject } from '../carriers/http-headers.ts';
import type { CarrierGetter } from '../carriers/carrier.ts';
import { TraceContext } from '../context.ts';

/** Ids that tests use where any will do. */
export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736' as TraceId;
export const SPAN = '00f067aa0ba902b7' as SpanId;

type Extract = (carrier: HeaderObject, getter: CarrierGetter<HeaderObject>, into: TraceContext) => boolean;

/** What `extract` reads from these headers; `undefined` when it reads nothing, and then it must have left the context alone. */
export function read(extract: Extract, headers: HeaderObject): Record<string, unknown> | undefined {
  const into = new TraceContext();
  into.tracestate = 'left=alone';
  into.debugId = 'left alone';
  if (extract(headers, lowerCaseHeaders, into)) return told(into);
  if (into.tracestate !== 'left=alone' || into.debugId !== 'left alone' || into.traceId !== '') {
    throw new Error('a context was changed though nothing was read');
  }
  return undefined;
}

/** The members of a context that are not what they are in an empty one; `decided: false` is told only beside ids. */
export function told(context: TraceContext): Record<string, unknown> {
  const empty = new TraceContext();
  const entries = Object.entries(context).filter(([key, value]) => value !== empty[key as keyof TraceContext]);
  return Object.fromEntries(entries);
}

/** A context with these ids that was decided. */
export function contextOf(
  flags = 1,
  changes: Partial<Pick<TraceContext, 'debug' | 'firehose' | 'decided' | 'tracestate'>> = {},
): TraceContext {
  const context = new TraceContext();
  context.assign('', TRACE, SPAN, flags, true);
  return Object.assign(context, changes);
}

/** What `write` puts into an empty header object, or into `headers`. */
export function written(write: (headers: HeaderObject) => void, headers: HeaderObject = {}): HeaderObject {
  write(headers);
  return headers;
}
