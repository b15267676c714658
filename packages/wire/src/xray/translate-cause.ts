import { SpanKind, StatusCode } from '@clew/model';
import type { PlainEvent, PlainSpan } from '@clew/model';
import { AttributeBag } from './attribute-bag.ts';
import { randomSegmentId } from './ids.ts';
import { JsonObject } from './json-tree.ts';
import { frameJson, parseStack } from './stack-parsers.ts';
import type { ParsedException } from './stack-parsers.ts';

/** Sets what went wrong: the flags by HTTP status or else the span's, and the exceptions. */
export function translateCause(
  segment: JsonObject,
  span: PlainSpan,
  resource: AttributeBag,
  httpStatus: number | undefined,
): void {
  const isHttpError = httpStatus !== undefined && httpStatus >= 400 && httpStatus <= 599;
  if (isHttpError) {
    segment.set(httpStatus < 500 ? 'error' : 'fault', true);
    if (httpStatus === 429) segment.set('throttle', true);
  } else if (span.statusCode === StatusCode.ERROR) segment.set('fault', true);
  const exceptions = exceptionsOf(span, resource);
  if (exceptions.length > 0) segment.set('cause', new JsonObject([['exceptions', exceptions]]));
}

function exceptionsOf(span: PlainSpan, resource: AttributeBag): readonly JsonObject[] {
  const language = resource.peekText('telemetry.sdk.language') ?? '';
  const isRemote = span.kind === SpanKind.CLIENT || span.kind === SpanKind.PRODUCER;
  const events = span.events.filter(({ name }) => name === 'exception');
  if (events.length > 0) return events.flatMap((event) => chainOf(event, language, isRemote));
  if (span.statusCode !== StatusCode.ERROR || span.statusMessage === '') return [];
  return [
    new JsonObject([
      ['id', randomSegmentId()],
      ['message', span.statusMessage],
    ]),
  ];
}

/** An exception and those that caused it, each naming the next. */
function chainOf(event: PlainEvent, language: string, isRemote: boolean): readonly JsonObject[] {
  const bag = new AttributeBag(event.attributes);
  const { frames, causes } = parseStack(bag.peekText('exception.stacktrace') ?? '', language);
  const thrown = {
    type: bag.peekText('exception.type') ?? '',
    message: bag.peekText('exception.message') ?? '',
    frames,
  };
  const chain = [thrown, ...causes].map((exception) => exceptionJson(exception, isRemote));
  for (const [at, exception] of chain.entries()) {
    const next = chain[at + 1]?.get('id');
    if (next !== undefined) exception.set('cause', next);
  }
  return chain;
}

function exceptionJson({ type, message, frames }: ParsedException, isRemote: boolean): JsonObject {
  const exception = new JsonObject([['id', randomSegmentId()]]);
  if (type !== '') exception.set('type', type);
  if (message !== '') exception.set('message', message);
  exception.set('remote', isRemote);
  if (frames.length > 0) exception.set('stack', frames.map(frameJson));
  return exception;
}
