import { int, text } from './spans.ts';
import type { FakeSpan, FakeTrace } from './spans.ts';
import type { Random } from './random.ts';

const services = [
  'batch',
  'loader',
  'pricing',
  'inventory',
  'search',
  'media',
  'user',
  'audit',
  'export',
  'billing',
  'risk',
  'mailer',
  'geo',
];

/** Ids of the special traces, so that tests and screenshots can name them. */
export const specialTraces = Object.freeze({
  large: '1a00000000000000000000000000beef',
  deep: '2a00000000000000000000000000beef',
  broken: '3a00000000000000000000000000beef',
  growing: '4a00000000000000000000000000beef',
  empty: '5a00000000000000000000000000beef',
});

function plain(
  random: Random,
  parent: FakeSpan | undefined,
  service: string,
  name: string,
  startNano: number,
  durationNano: number,
): FakeSpan {
  return {
    spanId: random.hex(16),
    ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
    service,
    name,
    kind: parent === undefined ? 2 : 1 + random.int(3),
    startNano: Math.round(startNano),
    durationNano: Math.max(1, Math.round(durationNano)),
    status: { code: 0 },
    attributes: [],
    events: [],
    links: [],
  };
}

/** A trace of `count` spans over thirteen services: a batch job with many levels and a few errors. */
export function largeTrace(random: Random, startUnixNano: bigint, count: number, traceId: string): FakeTrace {
  const total = 90e9;
  const root = plain(random, undefined, 'batch', 'run nightly import', 0, total);
  const spans = [root];
  const open = [root];
  for (let i = 1; i < count; i++) {
    // Mostly recent parents, so that the tree is some ten levels deep, with a wide level in between.
    const parent = random.next() < 0.25 ? root : (open[Math.max(0, open.length - 1 - random.int(60))] ?? root);
    const startNano = parent.startNano + random.next() * parent.durationNano * 0.9;
    const room = parent.startNano + parent.durationNano - startNano;
    const span = plain(
      random,
      parent,
      services[random.int(services.length)] ?? 'batch',
      `step ${1 + random.int(60)}`,
      startNano,
      room * random.next() * 0.7,
    );
    span.attributes.push(int('batch.row', i), text('batch.shard', `shard-${i % 64}`));
    if (random.next() < 0.002) span.status = { code: 2, message: 'row rejected' };
    spans.push(span);
    if (span.durationNano > 1e4) open.push(span);
  }
  return { traceId, startUnixNano, spans, story: 'large' };
}

/** A chain: every span is the only child of the one before. */
export function deepTrace(random: Random, startUnixNano: bigint, count: number): FakeTrace {
  const spans: FakeSpan[] = [];
  for (let i = 0; i < count; i++) {
    spans.push(plain(random, spans[i - 1], services[i % 5] ?? 'batch', `recurse ${i}`, i * 1000, (count - i) * 2000));
  }
  return { traceId: specialTraces.deep, startUnixNano, spans, story: 'deep' };
}

/** A trace with what goes wrong in practice: missing parents, a child before its parent, a negative duration. */
export function brokenTrace(random: Random, startUnixNano: bigint): FakeTrace {
  const root = plain(random, undefined, 'gateway', 'GET /reports', 40e6, 400e6);
  const early = plain(random, root, 'reports', 'GET /reports', 5e6, 300e6);
  const orphan = { ...plain(random, root, 'export', 'write csv', 120e6, 90e6), parentSpanId: 'dead00000000beef' };
  const sibling = { ...plain(random, root, 'export', 'upload csv', 215e6, 60e6), parentSpanId: 'dead00000000beef' };
  const negative = { ...plain(random, early, 'reports', 'load template', 60e6, 1), durationNano: -5e6 };
  const spans = [root, early, orphan, sibling, negative];
  return { traceId: specialTraces.broken, startUnixNano, spans, story: 'broken' };
}
