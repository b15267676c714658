import { createHash } from 'node:crypto';
import { SpanBatch, packBatch, splitByTrace, toPlain, traceViewOf } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { nextRequest } from '../otlp-requests.ts';
import { Random, SkewedPicker } from './random.ts';
import { SpanGenerator, lightSpans, makeServices, richSpans } from './index.ts';

const START = 1_767_225_600_000_000_000n;

describe('generated spans', () => {
  it('are the same for the same seed and others for another', () => {
    const options = { seed: 7, startUnixNano: START };
    expect(packBatch(richSpans(300, options))).toEqual(packBatch(richSpans(300, options)));
    expect(packBatch(richSpans(300, options))).not.toEqual(packBatch(richSpans(300, { ...options, seed: 8 })));
  });

  it('are those every earlier benchmark of this seed was run with', () => {
    const digest = (batch: SpanBatch): string =>
      createHash('sha256').update(packBatch(batch)).digest('hex').slice(0, 16);
    expect([digest(lightSpans(500, { seed: 1 })), digest(richSpans(500, { seed: 1 }))]).toMatchInlineSnapshot(`
      [
        "4549d0fe1d80263c",
        "92163991d9bb7f88",
      ]
    `);
  });

  it('have the sizes and the number of attributes of their profile', () => {
    for (const [profile, attributes, low, high] of [
      ['light', 6, 215, 255],
      ['rich', 15, 560, 640],
    ] as const) {
      const generator = new SpanGenerator({ profile });
      const bytes = Array.from({ length: 20 }, () => nextRequest(generator, 100).length).reduce((a, b) => a + b) / 2000;
      expect(bytes, profile).toBeGreaterThan(low);
      expect(bytes, profile).toBeLessThan(high);
      const batch = profile === 'light' ? lightSpans(500) : richSpans(500);
      expect(new Set(toPlain(batch).map((span) => span.attributes.length))).toEqual(new Set([attributes]));
    }
  });

  it('shift in time as told and run at the speed told', () => {
    const spans = toPlain(lightSpans(5000, { startUnixNano: 5n, spansPerSecond: 1000 }));
    const starts = spans.map((span) => span.startUnixNano).toSorted((a, b) => (a < b ? -1 : 1));
    expect(starts[0]).toBe(5n);
    const seconds = Number(starts.at(-1)! - 5n) / 1e9;
    expect(seconds).toBeGreaterThan(4);
    expect(seconds).toBeLessThan(30);
  });

  it('know 600 names and skew 40 services with resources of 8 attributes', () => {
    const services = makeServices('rich');
    expect(new Set(services.flatMap((service) => service.operations.map(({ name }) => name))).size).toBe(600);
    expect(new Set(services.map((service) => service.resource.attributes.length))).toEqual(new Set([8]));
    const counts = new Map<string, number>();
    const generator = new SpanGenerator({ profile: 'light' });
    const batch = new SpanBatch();
    for (let i = 0; i < 200; i++) {
      batch.reset();
      generator.fill(batch, 100);
      for (const name of traceViewOf(batch).services) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const sorted = [...counts.values()].toSorted((a, b) => b - a);
    expect(sorted.length).toBeGreaterThan(30);
    expect(sorted[0]!).toBeGreaterThan(5 * sorted[19]!);
  });

  it('put children inside parents that come earlier in the same trace', () => {
    const batch = new SpanBatch();
    new SpanGenerator({ profile: 'rich' }).fillTrace(batch, 200);
    const view = traceViewOf(batch);
    expect(splitByTrace(batch).length).toBe(1);
    expect([...view.children(-1)]).toEqual([0]);
    for (let row = 1; row < view.count; row++) {
      const parent = view.parents[row]!;
      expect(parent).toBeLessThan(row);
      expect(view.startsUnixNano[row]!).toBeGreaterThanOrEqual(view.startsUnixNano[parent]!);
      expect(view.endsUnixNano[row]!).toBeLessThanOrEqual(view.endsUnixNano[parent]!);
    }
  });

  it('spread a trace over several fills', () => {
    const generator = new SpanGenerator({ profile: 'light' });
    const ids = [1, 2].map(() => {
      const batch = new SpanBatch();
      generator.fill(batch, 300);
      return new Set(toPlain(batch).map((span) => span.traceId));
    });
    expect([...ids[0]!].filter((id) => ids[1]!.has(id)).length).toBeGreaterThan(10);
  });

  it('fail in two of a hundred, with an exception, and carry an event in ten', () => {
    const spans = toPlain(richSpans(10_000));
    const failed = spans.filter((span) => span.statusCode === 2);
    expect(failed.length).toBeGreaterThan(130);
    expect(failed.length).toBeLessThan(270);
    for (const span of failed) {
      expect(span.events.map((event) => event.name)).toEqual(['exception']);
      expect(span.events[0]!.attributes.map(({ key }) => key)).toEqual([
        'exception.type',
        'exception.message',
        'exception.stacktrace',
      ]);
    }
    const withEvents = spans.filter((span) => span.events.length > 0).length / spans.length;
    expect(withEvents).toBeGreaterThan(0.08);
    expect(withEvents).toBeLessThan(0.13);
  });

  it('have old and new attribute names and ids of high cardinality', () => {
    const spans = toPlain(lightSpans(5000));
    const keys = new Set(spans.flatMap((span) => span.attributes.map(({ key }) => key)));
    for (const key of [
      'http.method',
      'http.request.method',
      'url.path',
      'http.target',
      'db.query.text',
      'db.statement',
    ])
      expect(keys).toContain(key);
    const users = new Set(spans.map((span) => span.attributes.find(({ key }) => key === 'user.id')?.value));
    expect(users.size).toBeGreaterThan(4500);
  });
});

describe('random numbers', () => {
  it('stay in their ranges and spread over them', () => {
    const random = new Random(3);
    const seen = new Uint32Array(10);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) {
      seen[random.below(10)]!++;
      sum += random.normal();
    }
    expect(Math.min(...seen)).toBeGreaterThan(850);
    expect(Math.abs(sum / 10_000)).toBeLessThan(0.05);
  });

  it('skew towards low indexes and reach the last', () => {
    const picker = new SkewedPicker(20, 1);
    const random = new Random(1);
    const seen = new Uint32Array(20);
    for (let i = 0; i < 20_000; i++) seen[picker.pick(random)]!++;
    expect(seen[0]! / seen[9]!).toBeGreaterThan(6);
    expect(seen[19]!).toBeGreaterThan(50);
  });
});
