import { SpanBytes } from '../spans/span-bytes.ts';
import type { OriginBytes } from '../spans/span-bytes.ts';
import type { SpanBackend } from './backend.ts';
import type { SpanQueueSettings } from './settings.ts';
import type { ExporterTelemetry } from './telemetry.ts';

/** Batches on their way at once; only one while the backend fails, so that its return is not met with a crowd. */
const MAX_SENDING = 4;
/** Memory of batches that is kept for the next ones: as many as are on their way and the open one, none larger than this. */
const MAX_SPARE = MAX_SENDING + 1;
const MAX_SPARE_BYTES = 1024 * 1024;

/**
 * Gathers spans in batches and sends them in the background. Nobody ever waits for it: what finds no room is dropped and counted.
 *
 * Spans are written into the open batch. A batch leaves when it is full or `scheduleDelayMs` after its first span. The memory of a batch
 * that was accepted is used again: making it anew would cost more than everything else that is done for a span.
 */
export class SpanExporter {
  readonly #backend: SpanBackend;
  readonly #settings: SpanQueueSettings;
  readonly #telemetry: ExporterTelemetry;
  readonly #origin: OriginBytes;
  readonly #waiting: SpanBytes[] = [];
  readonly #spare: SpanBytes[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #unobserve: () => void;
  #open: SpanBytes | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitingSpans = 0;
  #stopping: Promise<void> | undefined;

  constructor(backend: SpanBackend, settings: SpanQueueSettings, telemetry: ExporterTelemetry, origin: OriginBytes) {
    this.#backend = backend;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#origin = origin;
    this.#unobserve = telemetry.observeQueue(() => this.queuedSpans);
  }

  /** Spans that wait, without those on their way. */
  get queuedSpans(): number {
    return this.#waitingSpans + (this.#open?.count ?? 0);
  }

  /**
   * Where one span may be written; call {@link written} afterwards. Undefined when there is no room: the span is then counted as lost.
   */
  room(): SpanBytes | undefined {
    if (this.queuedSpans >= this.#settings.maxQueueSpans || this.#stopping !== undefined) {
      this.#telemetry.overflowed();
      return undefined;
    }
    return (this.#open ??= this.#spare.pop() ?? new SpanBytes(this.#origin));
  }

  /** A span was written into what {@link room} gave. */
  written(): void {
    if (this.#open!.count >= this.#settings.maxBatchSpans) this.#seal();
    else this.#timer ??= setTimeout(() => this.#seal(), this.#settings.scheduleDelayMs).unref();
  }

  /**
   * Sends what is there and stops; what has not been accepted when `deadline` aborts is lost and counted. Spans that come later are
   * too. Idempotent.
   */
  stop(deadline: AbortSignal): Promise<void> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  #seal(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#waiting.push(open);
    this.#waitingSpans += open.count;
    this.#pump();
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#sending.size < (this.#telemetry.failing ? 1 : MAX_SENDING)) {
      const batch = this.#waiting.shift()!;
      this.#waitingSpans -= batch.count;
      const sending = this.#send(batch).finally(() => {
        this.#sending.delete(sending);
        this.#pump();
      });
      this.#sending.add(sending);
    }
  }

  /** Never rejects. */
  async #send(batch: SpanBytes): Promise<void> {
    const spans = batch.count;
    const startedMs = performance.now();
    try {
      const body = this.#backend.encode(batch.finish());
      const { rejected, message, repeated } = await this.#backend.send(body, this.#abort.signal);
      if (!repeated) this.#keep(batch);
      const refused = Math.min(rejected, spans);
      this.#telemetry.exported(spans - refused, performance.now() - startedMs);
      if (refused > 0 || message) this.#telemetry.rejected(refused, message ?? '');
    } catch (error) {
      this.#telemetry.lost(spans, error, performance.now() - startedMs);
    }
  }

  /** What a failed attempt has not sent may lie in a connection's queue still, and must not become something else. */
  #keep(batch: SpanBytes): void {
    if (this.#spare.length >= MAX_SPARE || batch.capacity > MAX_SPARE_BYTES) return;
    batch.reset();
    this.#spare.push(batch);
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    this.#seal();
    const abort = (): void => {
      const spans = this.#waiting.reduce((sum, { count }) => sum + count, 0);
      this.#waiting.length = 0;
      this.#waitingSpans = 0;
      if (spans > 0) this.#telemetry.abandoned(spans);
      this.#abort.abort();
    };
    if (deadline.aborted) abort();
    else deadline.addEventListener('abort', abort, { once: true });
    while (this.#sending.size > 0) await Promise.all(this.#sending);
    deadline.removeEventListener('abort', abort);
    this.#unobserve();
    await this.#backend.close();
  }
}
