import { SpanBatch, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { decodeTraces } from '@clew/wire/otlp';
import { describe, expect, it } from 'vitest';
import { text } from './keys.ts';
import { gatewayOrigin } from './resource.ts';
import { SpanBytes } from './span-bytes.ts';

const origin = gatewayOrigin('shop', { version: '1', instanceId: 'i', hostName: 'h', pid: 70_000 });

function spansOf(out: SpanBytes): PlainSpan[] {
  const batch = new SpanBatch();
  decodeTraces(out.finish(), batch);
  return toPlain(batch);
}

function addSpan(out: SpanBytes, path: string): void {
  out.beginSpan();
  out.text(text['url.path'], path);
  out.endSpan();
}

const pathsOf = (out: SpanBytes): unknown[] => spansOf(out).map(({ attributes }) => attributes[0]?.value);

describe('a batch of spans as bytes', () => {
  it('leaves out a span that was begun and not ended', () => {
    const out = new SpanBytes(origin);
    addSpan(out, '/first');
    out.beginSpan();
    out.text(text['url.path'], '/broken off');
    expect(pathsOf(out)).toEqual(['/first']);
    addSpan(out, '/second');
    expect([out.count, pathsOf(out)]).toEqual([2, ['/first', '/second']]);
  });

  it('grows as it must and keeps what it has', () => {
    const out = new SpanBytes(origin);
    const before = out.capacity;
    const paths = Array.from({ length: 40 }, (_, index) => `/${index}/`.padEnd(index * 500, 'ü'));
    for (const path of paths) addSpan(out, path);
    expect(pathsOf(out)).toEqual(paths);
    expect(out.capacity).toBeGreaterThan(before);
  });

  it('begins anew without what it had', () => {
    const out = new SpanBytes(origin);
    addSpan(out, '/long'.repeat(100));
    out.reset();
    expect(out.count).toBe(0);
    addSpan(out, '/new');
    expect(pathsOf(out)).toEqual(['/new']);
  });

  it('can be finished more than once', () => {
    const out = new SpanBytes(origin);
    addSpan(out, '/a');
    const first = Buffer.from(out.finish());
    expect(Buffer.from(out.finish())).toEqual(first);
  });

  it('has spans of every length', () => {
    const out = new SpanBytes(origin);
    const paths = Array.from({ length: 300 }, (_, index) => 'x'.repeat(index + 1));
    const longer = Array.from({ length: 200 }, (_, index) => 'x'.repeat(16_250 + index));
    for (const path of [...paths, ...longer]) addSpan(out, path);
    expect(pathsOf(out)).toEqual([...paths, ...longer]);
  });

  it('tells who made the spans', () => {
    const out = new SpanBytes(origin);
    addSpan(out, '/');
    const { resource, scope } = spansOf(out)[0]!;
    expect(resource.attributes).toContainEqual({ key: 'process.pid', value: 70_000n });
    expect(scope).toMatchObject({ name: 'clew-gateway', version: '1' });
  });
});
