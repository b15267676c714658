import { receiverKey } from '@clew/api';
import type { IngestEvent, ReceiverCounters } from '@clew/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClewDeps } from './deps.ts';
import { newestSpan } from './newest.ts';
import { receiverStatuses, totals } from './receivers.ts';

/** How often counts are looked at: at most four messages a second. */
const tickMs = 250;
/** A message is sent at least this often, so that proxies keep the connection. */
const keepAliveMs = 15_000;
/** Streams at once; each costs a timer and a look at the counters. */
export const maxLiveStreams = 100;

/** Server-sent events with the ingest counts, until the client goes away. */
export class LiveStreams {
  readonly #deps: ClewDeps;
  readonly #streams = new Set<() => void>();

  constructor(deps: ClewDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Takes over the reply. */
  open(request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const state = {
      lastText: '',
      lastSentMs: 0,
      lastAccepted: -1,
      windowMs: Date.now(),
      windowAccepted: 0,
      rate: 0,
      newest: undefined as IngestEvent['newest'],
    };
    let asking = false;
    const tick = async (): Promise<void> => {
      const receivers = receiverStatuses(this.#deps.program.graph());
      const { accepted, refused } = totals(receivers);
      const now = Date.now();
      if (now - state.windowMs >= 1000) {
        state.rate = Math.round(((accepted - state.windowAccepted) * 1000) / (now - state.windowMs));
        state.windowMs = now;
        state.windowAccepted = accepted;
      }
      if (accepted > 0 && (accepted !== state.lastAccepted || state.newest === undefined))
        state.newest = await this.#newest(state.newest);
      state.lastAccepted = accepted;
      const counters: Record<string, ReceiverCounters> = {};
      for (const receiver of receivers) counters[receiverKey(receiver)] = receiver.counters;
      const event: IngestEvent = {
        atUnixMs: now,
        acceptedSpansTotal: accepted,
        acceptedSpansPerSecond: state.rate,
        refusedSpansTotal: refused,
        receivers: counters,
        ...(state.newest === undefined ? {} : { newest: state.newest }),
      };
      const text = JSON.stringify({ ...event, atUnixMs: 0 });
      if (text === state.lastText && now - state.lastSentMs < keepAliveMs) return;
      state.lastText = text;
      state.lastSentMs = now;
      raw.write(`event: ingest\ndata: ${JSON.stringify(event)}\n\n`);
    };
    const timer = setInterval(() => {
      if (asking || raw.writableNeedDrain) return;
      asking = true;
      tick().then(
        () => (asking = false),
        () => end(),
      );
    }, tickMs);
    const end = (): void => {
      clearInterval(timer);
      this.#streams.delete(end);
      raw.end();
    };
    this.#streams.add(end);
    request.raw.once('close', end);
    raw.once('close', end);
    void tick().catch(end);
  }

  /** Ends all streams: the server stops. */
  close(): void {
    for (const end of this.#streams) end();
  }

  async #newest(known: IngestEvent['newest']): Promise<IngestEvent['newest']> {
    if (!this.#deps.readiness().ready) return known;
    const signal = AbortSignal.timeout(2_000);
    const newest = await newestSpan(this.#deps, signal);
    if (newest === undefined || newest.traceId === known?.traceId) return known;
    const [summary] = await this.#deps.reader.summaries(this.#deps.tenant, [newest.traceId], signal);
    if (summary === undefined) return known;
    return {
      traceId: newest.traceId,
      name: summary.rootName,
      ...(summary.rootService === '' ? {} : { service: summary.rootService }),
    };
  }
}
