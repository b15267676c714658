import { parseSpanIds, readTraceId } from '@clew/api';
import type { TraceFindAnswer } from '@clew/api';
import { ShownTrace } from '@clew/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClewDeps } from './deps.ts';
import { findRows } from './find-rows.ts';
import { queryOf, sendAnswer, sendError, sendNoTraceId, sendProblems } from './reply.ts';
import { traceSkeleton } from './skeleton.ts';
import { spanDetails } from './span-details.ts';
import type { LoadedTrace } from './load-trace.ts';
import { TraceCache } from './trace-cache.ts';

/** Longest text to look for in a trace. */
const maxFindText = 1000;

/** Answers about one trace. Traces that were just asked for are kept for a moment: details and finds follow the skeleton. */
export class TraceAnswers {
  readonly #deps: ClewDeps;
  readonly #cache: TraceCache;

  constructor(deps: ClewDeps) {
    this.#deps = deps;
    this.#cache = new TraceCache(deps);
  }

  async skeleton(request: FastifyRequest, reply: FastifyReply, signal: AbortSignal): Promise<FastifyReply> {
    const trace = await this.#load(request, reply, signal, { fresh: true });
    if (!('shown' in trace)) return trace;
    const facts = {
      maxSpans: this.#deps.limits.maxTraceSpans,
      nowUnixMs: Date.now(),
      ...(trace.lastReceivedUnixMs === undefined ? {} : { lastReceivedUnixMs: trace.lastReceivedUnixMs }),
    };
    const skeleton = traceSkeleton(wantedForm(trace, request), facts);
    const etag = `"${skeleton.etag}"`;
    void reply.header('etag', etag);
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return sendAnswer(reply, skeleton);
  }

  async spans(request: FastifyRequest, reply: FastifyReply, signal: AbortSignal): Promise<FastifyReply> {
    const ids = parseSpanIds(queryOf(request), this.#deps.limits.maxDetailSpans);
    if (!ids.ok) return sendProblems(reply, ids.error);
    const trace = await this.#load(request, reply, signal, { fresh: false });
    if (!('shown' in trace)) return trace;
    const answer = spanDetails(wantedForm(trace, request), ids.value);
    if (answer.notFound.length === 0) return sendAnswer(reply, answer);
    // The trace that was kept may be older than the spans asked for.
    const newer = await this.#load(request, reply, signal, { fresh: true });
    return 'shown' in newer ? sendAnswer(reply, spanDetails(wantedForm(newer, request), ids.value)) : newer;
  }

  async find(request: FastifyRequest, reply: FastifyReply, signal: AbortSignal): Promise<FastifyReply> {
    const text = queryOf(request).get('text') ?? '';
    if (text.trim() === '' || text.length > maxFindText) {
      return sendProblems(reply, [
        { parameter: 'text', message: `text has ${text.length} characters; it must have 1 to ${maxFindText}.` },
      ]);
    }
    const trace = await this.#load(request, reply, signal, { fresh: false });
    if (!('shown' in trace)) return trace;
    const { view } = trace.shown;
    const rows = findRows(view, text);
    const { etag } = traceSkeleton(wantedForm(trace, request), {
      maxSpans: this.#deps.limits.maxTraceSpans,
      nowUnixMs: Date.now(),
    });
    const answer: TraceFindAnswer = {
      etag,
      rows,
      facts: { limit: view.count, returned: rows.length, more: false, stopReason: 'complete', warnings: [] },
    };
    return sendAnswer(reply, answer);
  }

  /** The trace the path names, or the reply that says why not. */
  async #load(
    request: FastifyRequest,
    reply: FastifyReply,
    signal: AbortSignal,
    options: { readonly fresh: boolean },
  ): Promise<LoadedTrace | FastifyReply> {
    const { traceId } = request.params as { traceId: string };
    const id = readTraceId(traceId);
    if (id === undefined) return sendNoTraceId(reply, traceId);
    const trace = await this.#cache.get(id, options.fresh, signal);
    return (
      trace ??
      sendError(reply, 'not_found', `No trace ${id} is stored here.`, {
        hint: 'It may not have arrived yet, or be older than the retention.',
      })
    );
  }
}

/** The trace as people should see it, or as it was sent when the request says `raw=true`. */
function wantedForm(trace: LoadedTrace, request: FastifyRequest): ShownTrace {
  return queryOf(request).get('raw') === 'true' ? new ShownTrace(trace.shown.view, { asSent: true }) : trace.shown;
}
