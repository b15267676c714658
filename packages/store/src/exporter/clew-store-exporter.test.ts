import { describe, expect, it } from 'vitest';
import { fromPlain, toPlain } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import {
  describeExporterContract,
  sampleSpans,
  settingsFor,
  spanIds,
  TestHost,
  testContext,
} from '@clew/pipeline/contract-tests';
import { StoreError } from '../errors.ts';
import type { StoreErrorCode } from '../errors.ts';
import { clewStorageCapability } from '../storage/capability.ts';
import type { ClewStorage } from '../storage/capability.ts';
import { clewStoreExporter } from './index.ts';

/** A storage that keeps what it is given, or fails as told. */
class FakeStorage implements Pick<ClewStorage, 'append' | 'refusal' | 'start' | 'stop' | 'snapshot'> {
  readonly [clewStorageCapability] = true as const;
  readonly spans: ReturnType<typeof toPlain> = [];
  requests = 0;
  failure: Error | undefined;
  full: StoreError | undefined;

  async append(batch: Parameters<ClewStorage['append']>[0]): Promise<void> {
    // Counted once the answer is out: a sender hears of a refusal at the same moment, not later.
    setImmediate(() => this.requests++);
    if (this.failure !== undefined) throw this.failure;
    this.spans.push(...toPlain(batch));
  }

  refusal(): StoreError | undefined {
    return this.full;
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  snapshot(): Record<string, unknown> {
    return {};
  }
}

let storage = new FakeStorage();

describeExporterContract({
  factory: clewStoreExporter,
  host: () => new TestHost({ clew_storage: storage }),
  open: async () => {
    storage = new FakeStorage();
    return {
      settings: {},
      received: () => spanIds(storage.spans),
      requests: () => storage.requests,
      answer: (how) => {
        const code: StoreErrorCode = how === 'permanent' ? 'invalid_argument' : 'journal_full';
        storage.failure = how === 'accept' ? undefined : new StoreError(code, 'as told');
      },
      close: async () => {},
    };
  },
});

describe('clew_store', () => {
  async function running() {
    storage = new FakeStorage();
    const exporter = clewStoreExporter.create(settingsFor(clewStoreExporter, {}));
    await exporter.start(new TestHost({ clew_storage: storage }));
    return exporter;
  }

  it('promises durability and changes nothing', async () => {
    const exporter = await running();
    expect(exporter.durability()).toEqual({ kind: 'durable' });
    expect(exporter.mutatesData).toBe(false);
  });

  it('says which extension is missing when there is no storage', async () => {
    const exporter = clewStoreExporter.create(settingsFor(clewStoreExporter, {}));
    await expect(exporter.start(new TestHost())).rejects.toThrow(/add the extension clew_storage/);
  });

  it.each<[StoreErrorCode, string, number | undefined]>([
    ['journal_full', 'unavailable', 5000],
    ['disk_full', 'unavailable', 5000],
    ['journal_write_failed', 'unavailable', 1000],
    ['overloaded', 'unavailable', 1000],
    ['invalid_argument', 'permanent', undefined],
  ])('turns %s into a refusal that is %s', async (code, refusalCode, retryAfterMs) => {
    const exporter = await running();
    storage.failure = new StoreError(code, 'why');
    const refused = await exporter
      .consumeTraces(fromPlain(sampleSpans(1)), testContext())
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refusal);
    expect(refused).toMatchObject({ code: refusalCode, message: 'why' });
    expect((refused as Refusal).retryAfterMs).toBe(retryAfterMs);
  });

  it('refuses before the body is read while there is no room', async () => {
    const exporter = await running();
    expect(exporter.admit(10)).toBeUndefined();
    storage.full = new StoreError('journal_full', 'no room');
    expect(exporter.admit(10)).toMatchObject({ code: 'unavailable', retryAfterMs: 5000 });
  });

  it('does not store what its sender gave up on', async () => {
    const exporter = await running();
    const gone = { ...testContext(), signal: AbortSignal.abort() };
    await expect(exporter.consumeTraces(fromPlain(sampleSpans(1)), gone)).rejects.toMatchObject({ code: 'cancelled' });
    expect(storage.requests).toBe(0);
  });
});
