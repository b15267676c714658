import { SpanBatch, appendResource, appendScope } from '@clew/model';
import type { PlainResource, PlainScope } from '@clew/model';
import { internKeys } from '../spans/keys.ts';
import type { OpenBatch } from '../spans/span-writer.ts';
import type { SpanBackend } from './backend.ts';
import type { SpanQueueSettings } from './settings.ts';
import type { ExporterTelemetry } from './telemetry.ts';

/** Batches on their way at once; only one while the backend fails, so that its return is not met with a crowd. */
const MAX_SENDING = 4;

/**
 * Gathers spans in batches and sends them in the background. Nobody ever waits for it: what finds no room is dropped and counted.
 *
 * Spans are written into the open batch. A batch leaves when it is full or `scheduleDelayMs` after its first span; batches are used
 * again, so that the exporter's memory stays what it once needed.
 */
export class SpanExporter {
  readonly #backend: SpanBackend;
  readonly #settings: SpanQueueSettings;
  readonly #telemetry: ExporterTelemetry;
  readonly #resource: PlainResource;
  readonly #scope: PlainScope;
  readonly #waiting: SpanBatch[] = [];
  readonly #spare: SpanBatch[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #unobserve: () => void;
  #open: OpenBatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitingSpans = 0;
  #stopping: Promise<void> | undefined;

  constructor(
    backend: SpanBackend,
    settings: SpanQueueSettings,
    telemetry: ExporterTelemetry,
    origin: { readonly resource: PlainResource; readonly scope: PlainScope },
  ) {
    this.#backend = backend;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#resource = origin.resource;
    this.#scope = origin.scope;
    this.#unobserve = telemetry.observeQueue(() => this.queuedSpans);
  }

  /** Spans that wait, without those on their way. */
  get queuedSpans(): number {
    return this.#waitingSpans + (this.#open?.batch.count ?? 0);
  }

  /**
   * Where one span may be written; call {@link written} afterwards. Undefined when there is no room: the span is then counted as lost.
   */
  room(): OpenBatch | undefined {
    if (this.queuedSpans >= this.#settings.maxQueueSpans || this.#stopping !== undefined) {
      this.#telemetry.overflowed();
      return undefined;
    }
    return (this.#open ??= this.#openBatch());
  }

  /** A span was written into what {@link room} gave. */
  written(): void {
    const { batch } = this.#open!;
    if (batch.count >= this.#settings.maxBatchSpans) this.#seal();
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

  #openBatch(): OpenBatch {
    const batch = this.#spare.pop() ?? new SpanBatch();
    internKeys(batch);
    return { batch, scope: appendScope(batch, appendResource(batch, this.#resource), this.#scope) };
  }

  #seal(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#waiting.push(open.batch);
    this.#waitingSpans += open.batch.count;
    this.#pump();
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#sending.size < (this.#telemetry.failing ? 1 : MAX_SENDING)) {
      const batch = this.#waiting.shift()!;
      const spans = batch.count;
      this.#waitingSpans -= spans;
      const body = this.#backend.encode(batch);
      batch.reset();
      this.#spare.push(batch);
      const sending = this.#send(body, spans).finally(() => {
        this.#sending.delete(sending);
        this.#pump();
      });
      this.#sending.add(sending);
    }
  }

  /** Never rejects. */
  async #send(body: Uint8Array, spans: number): Promise<void> {
    const startedMs = performance.now();
    try {
      const { rejected, message } = await this.#backend.send(body, this.#abort.signal);
      const refused = Math.min(rejected, spans);
      this.#telemetry.exported(spans - refused, performance.now() - startedMs);
      if (refused > 0 || message) this.#telemetry.rejected(refused, message ?? '');
    } catch (error) {
      this.#telemetry.lost(spans, error, performance.now() - startedMs);
    }
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
