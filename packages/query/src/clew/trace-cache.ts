import type { ClewDeps } from './deps.ts';
import { loadTrace } from './load-trace.ts';
import type { LoadedTrace } from './load-trace.ts';

/** How long a trace is kept after it was read. */
const keepMs = 30_000;
/** Spans of all kept traces together: about 150 MB of the largest traces. */
const maxSpans = 250_000;

interface Entry {
  readonly trace: LoadedTrace;
  readonly readMs: number;
}

/** Traces that somebody is looking at right now. */
export class TraceCache {
  readonly #deps: ClewDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: ClewDeps) {
    this.#deps = deps;
  }

  /** The trace, read again when `fresh` is wanted or the kept one is old; undefined when it is unknown. */
  async get(traceId: string, fresh: boolean, signal: AbortSignal): Promise<LoadedTrace | undefined> {
    this.#forgetOld();
    const known = this.#entries.get(traceId);
    if (known !== undefined && !fresh) return known.trace;
    const trace = await loadTrace(this.#deps, traceId, signal);
    this.#entries.delete(traceId);
    if (trace !== undefined && trace.shown.view.count <= maxSpans) {
      this.#entries.set(traceId, { trace, readMs: Date.now() });
      this.#shrink();
    }
    return trace;
  }

  #forgetOld(): void {
    const oldestMs = Date.now() - keepMs;
    for (const [id, { readMs }] of this.#entries) if (readMs < oldestMs) this.#entries.delete(id);
  }

  /** Lets go of the traces read first until the rest fits. */
  #shrink(): void {
    let spans = 0;
    for (const { trace } of this.#entries.values()) spans += trace.shown.view.count;
    for (const [id, { trace }] of this.#entries) {
      if (spans <= maxSpans) return;
      this.#entries.delete(id);
      spans -= trace.shown.view.count;
    }
  }
}
