import { describe, expect, it } from 'vitest';
import { silentTelemetry } from '@clew/base';
import { ExporterTelemetry } from '../telemetry/exporter/telemetry.ts';
import { EchoFilter } from './echo-filter.ts';
import { forwardingLogger } from './forwarding-logger.ts';

describe('what threads say', () => {
  it('is an echo when another thread has just said the same, with whatever numbers', () => {
    let nowMs = 0;
    const filter = new EchoFilter(() => nowMs);
    const line = (left: number, agent = 'a') =>
      ({ level: 'warn', message: 'A connection was lost.', fields: { agent, left } }) as const;
    expect(filter.isEcho(0, line(3))).toBe(false);
    expect(filter.isEcho(1, line(2))).toBe(true);
    expect(filter.isEcho(1, line(2, 'b'))).toBe(false);
    expect(filter.isEcho(0, line(1))).toBe(false);
    nowMs = 5001;
    expect(filter.isEcho(1, line(1))).toBe(false);
  });

  it('about a backend that is away comes once a minute from all of them, not from each', () => {
    let nowMs = 0;
    const filter = new EchoFilter(() => nowMs);
    const written: number[] = [];
    const exporters = [0, 1, 2].map(
      (thread) =>
        new ExporterTelemetry(
          {
            ...silentTelemetry,
            logger: forwardingLogger((line) => {
              if (!filter.isEcho(thread, line)) written.push(nowMs);
            }),
          },
          () => nowMs,
        ),
    );
    for (; nowMs < 180_000; nowMs += 7000) {
      for (const [thread, exporter] of exporters.entries()) {
        // Threads do not begin at the same time.
        if (nowMs >= thread * 21_000) exporter.lost(1 + thread, new Error('refused'), 1);
      }
    }
    expect(written).toEqual([0, 63_000, 126_000]);
  });
});
