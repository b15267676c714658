import { toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { DemoTraffic } from './traffic.ts';

const start = 1_760_000_000_000_000_000n;

describe('demo traffic', () => {
  it('makes a slow-query trace with its services, times, kinds and marks', () => {
    const { batch, traceId } = new DemoTraffic(1).trace(start, 'slow-query');
    const spans = toPlain(batch);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(spans[0]).toMatchObject({ name: 'GET /api/v1/users/{id}', kind: 2, parentSpanId: '', startUnixNano: start });
    const services = spans.map((span) => span.resource.attributes.find(({ key }) => key === 'service.name')?.value);
    expect(new Set(services)).toEqual(new Set(['api-gateway', 'auth-service', 'user-service']));
    expect(
      spans.every((span) => span.resource.attributes.some(({ key, value }) => key === 'clew.demo' && value === true)),
    ).toBe(true);
  });

  it('links the notification to the message it came from', () => {
    const spans = toPlain(new DemoTraffic(2).trace(start, 'normal').batch);
    const consumer = spans.find((span) => span.kind === 5)!;
    const producer = spans.find((span) => span.kind === 4)!;
    expect(consumer.links[0]!.spanId).toBe(producer.spanId);
  });

  it('spreads a burst over its time and keeps integers integers', () => {
    const spans = toPlain(new DemoTraffic(3).burst(50, start, 60_000_000_000n));
    expect(new Set(spans.map((span) => span.traceId)).size).toBe(50);
    const port = spans.flatMap((span) => span.attributes).find(({ key }) => key === 'server.port');
    expect(typeof port!.value).toBe('bigint');
  });
});
