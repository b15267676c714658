import { silentTelemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import type { Component } from '@clew/pipeline';
import {
  RecordingConsumer,
  TestHost,
  describeProcessorContract,
  farDeadline,
  sampleBatch,
  settingProblems,
  settingsFor,
  testContext,
} from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { memoryLimiterProcessorFactory as factory } from './index.ts';
import { MemoryLimiter, memoryLimits } from './limiter.ts';
import type { MemoryProbe } from './limiter.ts';
import { MemoryLimiterProcessor } from './memory-limiter-processor.ts';

describeProcessorContract({
  factory,
  settings: { check_interval: '1h', limit_percentage: 100, spike_limit_percentage: 1 },
});

const mebibyte = 2 ** 20;
const settings = { check_interval: '1h', limit_mib: 100, spike_limit_mib: 20 };

/** Memory that does what a test says. */
class FakeMemory implements MemoryProbe {
  used = 0;
  /** What a collection leaves; undefined when the runtime cannot be asked to collect. */
  afterCollection: number | undefined;
  collections = 0;
  clockMs = 0;

  usedBytes(): number {
    return this.used * mebibyte;
  }

  collect(): boolean {
    if (this.afterCollection === undefined) return false;
    this.collections++;
    this.used = this.afterCollection;
    return true;
  }

  availableBytes(): number {
    return 1000 * mebibyte;
  }

  nowMs(): number {
    return this.clockMs;
  }
}

function limiter(memory: FakeMemory, extra = {}) {
  const told: string[] = [];
  const { config } = settingsFor(factory, { ...settings, ...extra });
  const events = {
    refusing: (used: number) => void told.push(`refusing at ${used / mebibyte}`),
    resumed: (used: number) => void told.push(`resumed at ${used / mebibyte}`),
    accepted: () => undefined,
    refused: () => undefined,
    observe: () => () => undefined,
  };
  return { told, limiter: new MemoryLimiter(config, events, memory) };
}

describe('the settings of memory_limiter', () => {
  it.each([
    [{ limit_mib: 10 }, "memory_limiter: 'check_interval' must be greater than zero"],
    [{ check_interval: '1s' }, "memory_limiter: 'limit_mib' or 'limit_percentage' must be greater than zero"],
    [
      { check_interval: '1s', limit_mib: 10, spike_limit_mib: 10 },
      "memory_limiter: 'spike_limit_mib' must be smaller than 'limit_mib'",
    ],
    [
      { check_interval: '1s', limit_percentage: 101 },
      "memory_limiter: 'limit_percentage' and 'spike_limit_percentage' must be greater than zero and less than or equal to hundred",
    ],
  ])('refuse %j', (given, message) => expect(settingProblems(factory, given)).toEqual([message]));

  it('mean bytes: mebibytes win over a percentage of what is available, and a fifth is left for spikes', () => {
    const limits = (given: object) =>
      memoryLimits(settingsFor(factory, { check_interval: '1s', ...given }).config, 1000 * mebibyte);
    expect(limits({ limit_mib: 100, limit_percentage: 50 })).toEqual({
      hardBytes: 100 * mebibyte,
      softBytes: 80 * mebibyte,
    });
    expect(limits({ limit_percentage: 50, spike_limit_percentage: 20 })).toEqual({
      hardBytes: 500 * mebibyte,
      softBytes: 300 * mebibyte,
    });
  });
});

describe('MemoryLimiter', () => {
  it('refuses from the soft limit on, says so once, and resumes below it', () => {
    const memory = new FakeMemory();
    const { limiter: watched, told } = limiter(memory);
    for (const used of [79, 80, 90, 79]) {
      memory.used = used;
      watched.check();
    }
    expect(told).toEqual(['refusing at 80', 'resumed at 79']);
  });

  it('counts what it has admitted since it last looked, so that a burst cannot outrun it', () => {
    const memory = new FakeMemory();
    const { limiter: watched } = limiter(memory);
    memory.used = 70;
    watched.check();
    expect(watched.admits(20 * mebibyte)).toBe(true);
    expect(watched.admits(20 * mebibyte)).toBe(false);
    watched.check();
    expect(watched.admits(20 * mebibyte)).toBe(true);
  });

  it('resumes at once when a collection helps', () => {
    const memory = new FakeMemory();
    memory.used = 95;
    memory.afterCollection = 30;
    const { limiter: watched, told } = limiter(memory);
    watched.check();
    expect(told).toEqual([]);
    expect(memory.collections).toBe(1);
  });

  it('collects ever more seldom while that does not help, and at the least interval again once it did', () => {
    const memory = new FakeMemory();
    const { limiter: watched } = limiter(memory, {
      min_gc_interval_when_soft_limited: '10s',
      max_gc_interval_when_soft_limited: '30s',
    });
    const at = (seconds: number, after: number): number => {
      memory.clockMs = seconds * 1000;
      memory.used = 85;
      memory.afterCollection = after;
      watched.check();
      return memory.collections;
    };
    expect(at(0, 85)).toBe(1);
    expect(at(19, 85)).toBe(1);
    expect(at(20, 85)).toBe(2);
    expect(at(49, 85)).toBe(2);
    expect(at(50, 50)).toBe(3);
    expect(at(60, 50)).toBe(4);
  });
});

describe('the memory_limiter processor', () => {
  async function running(memory: FakeMemory, extensions: Record<string, Component> = {}) {
    const next = new RecordingConsumer();
    const meter = new PrometheusMeter();
    const made = settingsFor(factory, settings, { telemetry: { ...silentTelemetry, meter } });
    const processor = new MemoryLimiterProcessor(made, next, memory);
    await processor.start(new TestHost(extensions));
    return { next, processor, meter, made, stop: () => processor.stop() };
  }

  it('refuses retryably, before a body is read and after', async () => {
    const memory = new FakeMemory();
    memory.used = 90;
    const { processor, next, meter, stop } = await running(memory);
    const refusal = { code: 'unavailable', message: 'data refused due to high memory usage', retryAfterMs: 3_600_000 };
    expect(processor.admit(1)).toMatchObject(refusal);
    await expect(processor.consumeTraces(sampleBatch(3), testContext())).rejects.toMatchObject(refusal);
    expect(next.calls).toBe(0);
    const text = await meter.expose({ withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true });
    expect(text).toContain('otelcol_processor_memory_limiter_refused_spans{processor="memory_limiter"} 3\n');
    expect(text).toContain(`clew_memory_limiter_used_bytes{processor="memory_limiter"} ${90 * mebibyte}\n`);
    await stop();
  });

  it('refuses a body that alone would go beyond the limit', async () => {
    const { processor, stop } = await running(new FakeMemory());
    expect(processor.admit(100 * mebibyte)).toMatchObject({ code: 'unavailable' });
    expect(processor.admit(99 * mebibyte)).toBeUndefined();
    await stop();
  });

  it('counts what an extension holds where this thread cannot see it', async () => {
    const journal = {
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      snapshot: () => ({}),
      heldBytes: () => 85 * mebibyte,
    };
    const { processor, stop } = await running(new FakeMemory(), { clew_storage: journal });
    expect(processor.admit(1)).toMatchObject({ code: 'unavailable' });
    await stop();
  });

  it('counts what other threads use', async () => {
    const { made, stop } = await running(new FakeMemory());
    const processor = new MemoryLimiterProcessor(
      { ...made, config: { ...made.config } },
      new RecordingConsumer(),
      new FakeMemory(),
    );
    await processor.start(Object.assign(new TestHost(), { otherThreadsBytes: () => 85 * mebibyte }));
    expect(processor.admit(1)).toMatchObject({ code: 'unavailable' });
    await processor.stop();
    await stop();
  });

  it('shares one limiter among the pipelines that name one id', async () => {
    const memory = new FakeMemory();
    const { processor, made, stop } = await running(memory);
    const second = factory.create(made, new RecordingConsumer());
    await second.start(new TestHost());
    expect(processor.admit(60 * mebibyte)).toBeUndefined();
    expect(second.admit(60 * mebibyte)).toMatchObject({ code: 'unavailable' });
    await second.stop(farDeadline());
    await stop();
  });
});
