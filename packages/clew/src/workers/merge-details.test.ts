import { describe, expect, it } from 'vitest';
import { mergeDetails } from './merge-details.ts';
import { WorkerFigures } from './worker-figures.ts';

const listener = (accepted: number, lastRefusal?: object) => ({
  protocol: 'otlp_http',
  address: '127.0.0.1:4318',
  counters: { requests: accepted, acceptedSpans: accepted * 10, ...(lastRefusal ? { lastRefusal } : {}) },
  listener: { address: { host: '127.0.0.1', port: 4318 }, owners: ['otlp/http'], rejectedTotal: { slow_body: 1 } },
});

describe('snapshots of one component in several workers', () => {
  it('show one address, and counts added up', () => {
    expect(mergeDetails([{ listeners: [listener(1)] }, { listeners: [listener(2)] }])).toEqual({
      listeners: [
        {
          protocol: 'otlp_http',
          address: '127.0.0.1:4318',
          counters: { requests: 3, acceptedSpans: 30 },
          listener: {
            address: { host: '127.0.0.1', port: 4318 },
            owners: ['otlp/http'],
            rejectedTotal: { slow_body: 2 },
          },
        },
      ],
    });
  });

  it('show the newest of what carries a time, whole', () => {
    const older = { atUnixMs: 5, reason: 'old' };
    const newer = { atUnixMs: 9, reason: 'new' };
    const merged = mergeDetails([{ listeners: [listener(1, newer)] }, { listeners: [listener(2, older)] }]);
    expect(merged).toMatchObject({ listeners: [{ counters: { lastRefusal: newer } }] });
  });

  it('show settings as they are, and what only one worker has', () => {
    const merged = mergeDetails([
      { maxSpans: 10, softBytes: 3, pendingSpans: 1n, passesThrough: true },
      { maxSpans: 10, softBytes: 3, pendingSpans: 2n, extra: 1 },
    ]);
    expect(merged).toEqual({ maxSpans: 10, softBytes: 3, pendingSpans: 3n, passesThrough: true, extra: 1 });
  });

  it('of no worker are empty', () => expect(mergeDetails([])).toEqual({}));
});

describe('WorkerFigures', () => {
  const report = (accepted: number, heldBytes: number) => ({
    details: [{ place: 1, key: 'receiver/otlp', details: { listeners: [listener(accepted)] } }],
    families: [
      {
        name: 'a_total',
        help: '',
        kind: 'counter' as const,
        level: 'basic' as const,
        samples: [{ name: 'a_total', labels: {}, value: accepted }],
      },
      {
        name: 'b',
        help: '',
        kind: 'gauge' as const,
        level: 'basic' as const,
        samples: [{ name: 'b', labels: {}, value: accepted }],
      },
    ],
    heldBytes,
  });
  const total = (figures: WorkerFigures, name: string): number =>
    figures.families.flat().reduce((sum, family) => sum + (family.name === name ? family.samples[0]!.value : 0), 0);

  it('keeps the totals of a worker that ended, and not what it held', () => {
    const figures = new WorkerFigures();
    figures.set(0, report(1, 100));
    figures.set(1, report(2, 50));
    figures.retire(1);
    figures.set(1, report(4, 60));
    figures.retire(1);
    expect([total(figures, 'a_total'), total(figures, 'b'), figures.heldBytes]).toEqual([7, 1, 100]);
    expect(figures.details(1, 'receiver/otlp')).toMatchObject({
      listeners: [{ address: '127.0.0.1:4318', counters: { requests: 7, acceptedSpans: 70 } }],
    });
  });

  it('forgets the totals of components that are gone', () => {
    const figures = new WorkerFigures();
    figures.set(0, report(1, 100));
    figures.retire(0);
    figures.forget(1);
    expect(figures.details(1, 'receiver/otlp')).toEqual({});
  });
});
