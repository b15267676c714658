import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '@clew/base';
import { errorMessage, Lifecycle } from '@clew/base';
import type { SpanBatch } from '@clew/model';
import { unpackBatch } from '@clew/model';
import type { ConsumeContext, CreateSettings, Host, SamplingStorage } from '@clew/pipeline';
import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import type { StoreErrorCode } from '../errors.ts';
import { DEFAULT_SEGMENT_POLICY } from '../journal/journal-options.ts';
import { Journal } from '../journal/journal.ts';
import { deleteDemoData, deleteTraces } from '../retention/deletion.ts';
import { ddlOf } from '../retention/partitions.ts';
import type { RetentionPolicy } from '../retention/retention.ts';
import { migrate } from '../schema/migrate.ts';
import { SqlSamplingStore } from '../sampling/sampling-store.ts';
import { countSegment, deleteSegment, deriveSegment } from '../schema/segments.ts';
import { BlockThread } from '../writer/block-thread.ts';
import { Intake } from '../writer/intake.ts';
import { JournalPendingSpans } from '../writer/pending-spans.ts';
import type { PendingSpans } from '../writer/pending-spans.ts';
import { checkNoRunningInsert } from '../writer/running-inserts.ts';
import { SegmentWriter } from '../writer/segment-writer.ts';
import { clewStorageCapability } from './capability.ts';
import type { ClewStorage } from './capability.ts';
import type { ClewStorageConfig } from './config.ts';
import { lockEngine } from './engine-handle.ts';
import type { EngineHandle } from './engine-handle.ts';
import { Maintenance } from './maintenance.ts';
import { engineTelemetry } from './telemetry.ts';

/** Failures of the engine that may be gone when it is tried again. */
const PASSING: ReadonlySet<StoreErrorCode> = new Set([
  'engine_unavailable',
  'overloaded',
  'timeout',
  'memory_limit',
  'disk_full',
]);
/** Attempts in a row to start or prepare before it is given up, with pauses that grow by `RETRY_MS`: about half a minute. */
const MAX_START_ATTEMPTS = 10;
const RETRY_MS = 500;
const MIN_SEGMENT_BYTES = 4 * 1024 * 1024;

function isPassing(error: unknown): boolean {
  if (!(error instanceof StoreError)) return false;
  return PASSING.has(error.code) || (error.code === 'schema_failed' && isPassing(error.cause));
}

/** What runs between start and stop. */
interface Running {
  readonly engine: EngineHandle;
  readonly journal: Journal;
  readonly intake: Intake;
  readonly writer: SegmentWriter;
  readonly pending: PendingSpans;
  readonly maintenance: Maintenance;
}

/**
 * The storage: directory lock, engine, tables, journal and writer as one extension.
 *
 * `start` returns when the directory is locked and the journal takes requests; the engine starts and migrates in the background (`ready`), so that
 * nothing is refused meanwhile. When the engine can never be used (a newer schema, an unusable directory) the status becomes fatal.
 */
export class ClewStorageExtension implements ClewStorage, SamplingStorage {
  readonly [clewStorageCapability] = true as const;
  readonly samplingStore: SqlSamplingStore;
  readonly #config: ClewStorageConfig;
  readonly #telemetry: Telemetry;
  readonly #id: string;
  readonly #ready = Promise.withResolvers<void>();
  readonly #life: Lifecycle;
  #host: Host | undefined;
  #running: Running | undefined;
  #bringingUp: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor({ id, config, telemetry }: CreateSettings<ClewStorageConfig>) {
    this.#id = id;
    this.#config = config;
    this.#telemetry = telemetry;
    // The embedded engine's directory is locked: nobody else can be there.
    const client = (): Promise<SqlClient> => this.ready.then(() => this.client);
    this.samplingStore = new SqlSamplingStore(client, { exclusive: config.url === undefined });
    this.#life = new Lifecycle(`the extension ${id}`, {
      start: () => this.#start(),
      stop: (deadline) => this.#stop(deadline),
    });
    // Whoever waits for it hears of a failure; nobody has to.
    this.#ready.promise.catch(() => undefined);
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get client(): SqlClient {
    return this.#live.engine.client;
  }

  get pending(): PendingSpans {
    return this.#live.pending;
  }

  start(host: Host): Promise<void> {
    this.#host ??= host;
    return this.#life.start();
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.#life.stop(deadline);
  }

  append(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    return this.#live.intake.append(batch, context);
  }

  refusal(bytes: number): StoreError | undefined {
    return this.#running === undefined ? this.#notRunning() : this.#running.journal.refusal(bytes);
  }

  async settle(signal: AbortSignal): Promise<void> {
    const { journal } = this.#live;
    await journal.recovered;
    const waiting = [...journal.segments()];
    journal.flush();
    while (waiting.some((segment) => journal.holds(segment))) {
      signal.throwIfAborted();
      await sleep(5, undefined, { signal });
    }
  }

  async deleteTraces(tenant: string, traceIds: readonly string[], signal: AbortSignal): Promise<number> {
    await this.settle(signal);
    const done = await deleteTraces(this.client, tenant, traceIds, { nowUnixMs: Date.now(), signal });
    await this.#live.writer.forgetDays(done.days);
    return done.tracesDone;
  }

  async deleteDemo(tenant: string, signal: AbortSignal): Promise<number> {
    await this.settle(signal);
    const done = await deleteDemoData(this.client, tenant, { nowUnixMs: Date.now(), signal });
    await this.#live.writer.forgetDays(done.days);
    return done.tracesDone;
  }

  snapshot(): Readonly<Record<string, unknown>> {
    if (this.#running === undefined) return { running: false };
    const { journal, writer, engine } = this.#running;
    return {
      running: true,
      directory: resolve(this.#config.directory),
      journal: journal.snapshot(),
      writer: writer.snapshot(),
      engine: engine.client.snapshot(),
    };
  }

  async #start(): Promise<void> {
    const engine = lockEngine(this.#config, engineTelemetry(this.#telemetry));
    try {
      this.#running = await this.#open(engine);
    } catch (error) {
      await engine.stop();
      throw error;
    }
    this.#bringingUp = this.#bringUp(this.#running);
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    const running = this.#running;
    if (running === undefined) return;
    // A statement of it ends with the engine at the latest.
    const maintained = running.maintenance.stop();
    running.journal.flush();
    await running.writer.drain(deadline);
    await running.writer.stop();
    await running.journal.close();
    await running.engine.stop();
    await maintained;
    await this.#bringingUp;
    this.#running = undefined;
  }

  async #open(engine: EngineHandle): Promise<Running> {
    const { directory, journal: settings } = this.#config;
    const telemetry = this.#telemetry;
    const dataDirectory = resolve(directory);
    const journalDirectory =
      settings.directory === undefined ? join(dataDirectory, 'journal') : resolve(settings.directory);
    const journal = await Journal.open({
      directory: journalDirectory,
      quarantineDirectory: join(dataDirectory, 'quarantine'),
      telemetry,
      traceIdsOf: (payload) => unpackBatch(payload).traceIds,
      maxBytes: settings.max_bytes,
      minFreeBytes: settings.min_free_bytes,
      maxRecordBytes: settings.max_record_bytes,
      maxUnsyncedBytes: settings.max_unsynced_bytes,
      maxResidentBytes: settings.max_resident_bytes,
      maxRememberedRequests: settings.max_remembered_requests,
      policy: { maxBytes: segmentBytes(this.#config) },
    });
    const { client } = engine;
    const writer = new SegmentWriter({
      journal,
      client,
      blocks: new BlockThread(join(journalDirectory, 'blocks')),
      tables: {
        count: async (segmentId) => {
          await checkNoRunningInsert(client, segmentId);
          return countSegment(client, segmentId);
        },
        remove: (segmentId) => deleteSegment(client, segmentId),
        derive: (segmentId) => deriveSegment(client, segmentId),
      },
      telemetry,
    });
    const maintenance = new Maintenance({
      client,
      policy: retentionPolicy(this.#config),
      telemetry,
      onDaysDropped: (days) => writer.forgetDays(days),
    });
    const pending = new JournalPendingSpans(journal);
    return { engine, journal, writer, maintenance, intake: new Intake(journal), pending };
  }

  async #bringUp({ engine, writer, maintenance }: Running): Promise<void> {
    try {
      await this.#patiently(() => engine.start());
      await this.#patiently(() =>
        migrate(engine.client, ddlOf(engine.client), { onStep: (step) => this.#migrating(step) }),
      );
      writer.start();
      maintenance.start();
      this.#ready.resolve();
    } catch (caught) {
      const error = caught instanceof Error ? caught : new Error(errorMessage(caught));
      this.#ready.reject(error);
      if (!this.#stopping.signal.aborted) this.#host?.reportStatus({ kind: 'fatal', error });
    }
  }

  /** Repeats a step while the engine goes away under it. What is wrong for good ends it; so do several failures in a row. */
  async #patiently(step: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await step();
      } catch (error) {
        if (!isPassing(error) || this.#stopping.signal.aborted || attempt === MAX_START_ATTEMPTS) throw error;
        const delayMs = RETRY_MS * attempt;
        this.#telemetry.logger.warn('starting the storage failed and is tried again', {
          reason: errorMessage(error),
          delayMs,
        });
        await sleep(delayMs, undefined, { signal: this.#stopping.signal });
      }
    }
  }

  get #live(): Running {
    if (this.#running === undefined) throw this.#notRunning();
    return this.#running;
  }

  #notRunning(): StoreError {
    return new StoreError('engine_unavailable', `the extension ${this.#id} is not running; try again in a moment`);
  }

  #migrating(step: { readonly version: number; readonly name: string }): void {
    this.#telemetry.logger.info('changing the tables to a newer schema; requests go to the journal meanwhile', step);
  }
}

/** 0 means no limit. */
function retentionPolicy({ retention }: ClewStorageConfig): RetentionPolicy {
  return {
    ...(retention.max_age > 0 ? { maxAgeMs: retention.max_age } : {}),
    ...(retention.max_bytes > 0 ? { maxBytes: retention.max_bytes } : {}),
  };
}

/**
 * Packed bytes of a segment, at most: what the embedded engine can insert as one block within its memory. A block is nearly twice as large, and
 * inserting it, with sorting and everything derived, takes some ten times its size.
 */
function segmentBytes({ url, engine }: ClewStorageConfig): number {
  const most = DEFAULT_SEGMENT_POLICY.maxBytes;
  return url === undefined
    ? Math.min(most, Math.max(MIN_SEGMENT_BYTES, Math.floor(engine.max_memory_bytes / 30)))
    : most;
}
