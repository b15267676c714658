import { describe, expect, it } from 'vitest';
import { layOut } from './lay-out.ts';
import { seededRandom } from './random.ts';
import { drawCase, shopCases, shopRequest } from './shop.ts';
import type { ShopCase } from './shop.ts';

const caseNames = Object.keys(shopCases) as ShopCase[];
const spansOf = (name: ShopCase, seed = 1) => layOut(shopRequest(name, seededRandom(seed)), seededRandom(seed + 1));
const durationMs = (span: { startNano: number; endNano: number }) => (span.endNano - span.startNano) / 1e6;

describe('the demo shop', () => {
  it.each(caseNames)('gives every span of case %s a parent in the trace, except the root', (name) => {
    const spans = spansOf(name);
    const ids = new Set(spans.map((span) => span.spanId.join()));
    expect(ids.size).toBe(spans.length);
    expect(spans[0]!.parentId.every((byte) => byte === 0)).toBe(true);
    for (const span of spans.slice(1)) expect(ids.has(span.parentId.join())).toBe(true);
  });

  it.each(caseNames)('keeps every synchronous child of case %s inside its parent', (name) => {
    const spans = spansOf(name, 7);
    const byId = new Map(spans.map((span) => [span.spanId.join(), span]));
    for (const span of spans.slice(1).filter((s) => s.linkTo === undefined)) {
      const parent = byId.get(span.parentId.join())!;
      expect(span.startNano).toBeGreaterThanOrEqual(parent.startNano);
      expect(span.endNano).toBeLessThanOrEqual(parent.endNano);
    }
  });

  it('spends 1,400 ms in one query in the slow-query case', () => {
    const slowest = spansOf('slow-query').filter((span) => span.attributes['db.query.text'] !== undefined);
    expect(Math.max(...slowest.map(durationMs))).toBeGreaterThan(1350);
  });

  it('tries the payment three times in the retry case and fails twice', () => {
    const attempts = spansOf('retry').filter(
      (span) => span.kind === 'client' && String(span.attributes['url.full']).includes('/charge'),
    );
    expect(attempts).toHaveLength(3);
    expect(attempts.filter((span) => span.error !== undefined)).toHaveLength(2);
    expect(durationMs(spansOf('retry')[0]!)).toBeGreaterThan(4400);
  });

  it('lets the notification begin after the message was published', () => {
    const spans = spansOf('normal');
    const producer = spans.find((span) => span.kind === 'producer')!;
    const consumer = spans.find((span) => span.kind === 'consumer')!;
    expect(consumer.startNano).toBeGreaterThan(producer.endNano);
    expect(consumer.linkTo).toEqual(producer.spanId);
  });

  it('repeats exactly for the same seed', () => {
    expect(spansOf('normal', 42)).toEqual(spansOf('normal', 42));
  });

  it('mixes every case into steady traffic', () => {
    const random = seededRandom(3);
    const drawn = new Set(Array.from({ length: 2000 }, () => drawCase(random)));
    expect([...drawn].sort()).toEqual([...caseNames].sort());
  });
});
