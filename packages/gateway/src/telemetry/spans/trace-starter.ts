import { TraceFlag, extract, extractW3c, rawHeaders, traceIdRatioSampler } from '@clew/wire/propagation';
import type { TraceContext, TraceIdSampler } from '@clew/wire/propagation';
import type { TraceId } from '@clew/model';
import type { Exchange } from '../../proxy/exchange.ts';
import type { TraceStarter } from '../../proxy/observer.ts';
import { CarriedContext, contextIn, otherFormats } from './carried-context.ts';
import { RandomIds } from './random-ids.ts';

/** Which requests are traced and under which ids. Hot path, guarded by `bench/gateway-telemetry`. */

/** Continues inbound traces and starts new ones; those begun here are kept at a ratio of trace ids. */
export class RatioTraceStarter implements TraceStarter {
  readonly #ids: RandomIds;
  readonly #sampler: TraceIdSampler;

  /** `samplingRate` is a share, 0 to 1. The decision is Go's, so that the same id is decided alike by everybody with that sampler. */
  constructor(samplingRate: number, ids: RandomIds = new RandomIds()) {
    this.#ids = ids;
    this.#sampler = traceIdRatioSampler('go', samplingRate);
  }

  startRequest({ trace, requestHeaders }: Exchange): void {
    const carried = contextIn(requestHeaders);
    if (carried === CarriedContext.NONE || !this.#continue(trace, requestHeaders as string[], carried)) trace.reset();
    const inbound = trace.spanId;
    if (inbound === '') this.#startTrace(trace);
    else if (!trace.decided) this.#decide(trace);
    trace.parentSpanId = inbound;
    trace.spanId = this.#ids.spanId();
  }

  newSpanId(): string {
    return this.#ids.spanId();
  }

  /** Carriers are only written to when something is set or removed, which does not happen here. */
  #continue(trace: TraceContext, headers: string[], carried: CarriedContext): boolean {
    return carried === CarriedContext.W3C
      ? extractW3c(headers, rawHeaders, trace)
      : extract(otherFormats, headers, rawHeaders, trace);
  }

  /** There is no inbound span, but there may be a decision (`b3: 0`), which then holds. */
  #startTrace(trace: TraceContext): void {
    const traceId = this.#ids.traceId();
    const { decided, flags, debugId } = trace;
    trace.restart(traceId, '' as never, decided ? flags : this.#flagsOf(traceId));
    trace.debugId = debugId;
  }

  #decide(trace: TraceContext): void {
    trace.flags |= this.#flagsOf(trace.traceId as TraceId);
    trace.decided = true;
  }

  #flagsOf(traceId: TraceId): number {
    return this.#sampler(traceId) ? TraceFlag.SAMPLED : 0;
  }
}
