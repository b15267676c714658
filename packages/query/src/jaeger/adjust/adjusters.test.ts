import { describe, expect, it } from 'vitest';
import { testSpan } from '../test/test-span.ts';
import { adjustTrace } from './adjusters.ts';
import { adjustClockSkew } from './clock-skew.ts';
import { dropEmptyLinks } from './empty-links.ts';
import { dropEqualSpans } from './drop-equal-spans.ts';
import { showIpAddresses } from './ip-addresses.ts';
import { moveLibraryAttributes } from './library-attributes.ts';
import { sanitize } from './sanitize.ts';
import { compareText, sortAttributes } from './sort-attributes.ts';
import { makeSpanIdsUnique } from './unique-span-ids.ts';

const host = (name: string) => ({
  attributes: [
    { key: 'service.name', value: name },
    { key: 'host.name', value: name },
  ],
});
const ms = (n: number) => BigInt(n) * 1_000_000n;
const id = (n: number) => n.toString(16).padStart(16, '0');

describe('spans that share an id', () => {
  it('gives the server a new id below the client, and moves the client’s children to it', () => {
    const client = testSpan({ spanId: id(9), kind: 3 });
    const server = testSpan({ spanId: id(9), kind: 2 });
    const child = testSpan({ spanId: id(5), parentSpanId: id(9), kind: 1 });
    makeSpanIdsUnique([client, server, child]);
    expect([server.spanId, server.parentSpanId]).toEqual([id(1), id(9)]);
    expect(child.parentSpanId).toBe(id(1));
    expect(client.spanId).toBe(id(9));
  });

  it('skips ids that are taken', () => {
    const spans = [
      testSpan({ spanId: id(9), kind: 3 }),
      testSpan({ spanId: id(9) }),
      testSpan({ spanId: id(1), kind: 1 }),
    ];
    makeSpanIdsUnique(spans);
    expect(spans[1]!.spanId).toBe(id(2));
  });
});

describe('equal spans', () => {
  it('keeps the first of copies, and both of spans that differ in anything', () => {
    const first = testSpan();
    const copy = testSpan();
    const other = testSpan({ attributes: [{ key: 'n', value: 1n }] });
    const asText = testSpan({ attributes: [{ key: 'n', value: '1' }] });
    expect(dropEqualSpans([first, copy, other, asText])).toEqual([first, other, asText]);
  });
});

describe('clock skew', () => {
  const parent = () => testSpan({ spanId: id(1), resource: host('a'), startNano: ms(100), endNano: ms(200) });
  const child = (changes = {}) =>
    testSpan({
      spanId: id(2),
      parentSpanId: id(1),
      resource: host('b'),
      startNano: ms(50),
      endNano: ms(70),
      ...changes,
    });

  it('moves nothing by default and says what it would have done', () => {
    const spans = [parent(), child()];
    adjustClockSkew(spans, 0n);
    expect(spans[1]!.startNano).toBe(ms(50));
    expect(spans[1]!.warnings).toEqual(['clock skew adjustment disabled; not applying calculated delta of 90ms']);
  });

  it('centres a child of another host in its parent, with its events', () => {
    const event = { timeNano: ms(60), name: 'x', attributes: [] };
    const spans = [parent(), child({ events: [event] })];
    adjustClockSkew(spans, ms(1000));
    expect([spans[1]!.startNano, spans[1]!.endNano, event.timeNano]).toEqual([ms(140), ms(160), ms(150)]);
    expect(spans[1]!.warnings).toEqual(["This span's timestamps were adjusted by 90ms"]);
  });

  it('lets grandchildren on the child’s host inherit its shift', () => {
    const grandchild = testSpan({
      spanId: id(3),
      parentSpanId: id(2),
      resource: host('b'),
      startNano: ms(55),
      endNano: ms(60),
    });
    adjustClockSkew([parent(), child(), grandchild], ms(1000));
    expect(grandchild.startNano).toBe(ms(145));
  });

  it('does not move further than its limit', () => {
    const spans = [parent(), child()];
    adjustClockSkew(spans, ms(10));
    expect(spans[1]!.startNano).toBe(ms(50));
    expect(spans[1]!.warnings).toEqual([
      'max clock skew adjustment delta of 10ms exceeded; not applying calculated delta of 90ms',
    ]);
  });

  it('leaves spans of one host, and children inside their parents, alone', () => {
    const same = child({ resource: host('a') });
    const inside = child({ spanId: id(4), startNano: ms(110), endNano: ms(120) });
    adjustClockSkew([parent(), same, inside], ms(1000));
    expect([same.startNano, inside.startNano]).toEqual([ms(50), ms(110)]);
    expect([same.warnings, inside.warnings]).toEqual([[], []]);
  });

  it('warns of repeated ids and of parents that are not in the trace', () => {
    const spans = [parent(), testSpan({ spanId: id(1) }), child({ parentSpanId: id(77) })];
    adjustClockSkew(spans, 0n);
    expect(spans[1]!.warnings).toEqual(['duplicate span IDs; skipping clock skew adjustment']);
    expect(spans[2]!.warnings).toEqual([
      `parent span ID=${id(77)} is not in the trace; skipping clock skew adjustment`,
    ]);
  });

  it('survives a cycle of parents and a chain of 50,000 spans', () => {
    const cycle = [testSpan({ spanId: id(1), parentSpanId: id(2) }), testSpan({ spanId: id(2), parentSpanId: id(1) })];
    expect(adjustClockSkew(cycle, 0n)).toHaveLength(2);
    const chain = Array.from({ length: 50_000 }, (_, i) =>
      testSpan({ spanId: id(i + 1), parentSpanId: i === 0 ? '' : id(i) }),
    );
    expect(adjustClockSkew(chain, 0n)).toHaveLength(50_000);
  });
});

describe('attributes', () => {
  it('sorts them by key on every level, byte by byte', () => {
    const span = testSpan({
      attributes: [
        { key: 'b', value: 1n },
        { key: 'B', value: 2n },
        { key: 'a', value: 3n },
      ],
    });
    sortAttributes([span]);
    expect(span.attributes.map(({ key }) => key)).toEqual(['B', 'a', 'b']);
    expect(compareText('\u{1f600}', '\uffff')).toBeGreaterThan(0);
  });

  it('shows numeric addresses in dotted form, negative ones too', () => {
    const span = testSpan({
      attributes: [
        { key: 'ip', value: 167_772_165n },
        { key: 'peer.ipv4', value: -1 },
        { key: 'port', value: 80n },
      ],
    });
    showIpAddresses([span]);
    expect(span.attributes.map(({ value }) => value)).toEqual(['10.0.0.5', '255.255.255.255', 80n]);
  });

  it('moves library attributes to the resource, and warns of a conflict', () => {
    const resource = { attributes: [{ key: 'telemetry.sdk.name', value: 'x' }] };
    const span = testSpan({
      resource,
      attributes: [
        { key: 'telemetry.sdk.language', value: 'go' },
        { key: 'telemetry.sdk.name', value: 'y' },
      ],
    });
    moveLibraryAttributes([span]);
    expect(resource.attributes.map(({ key }) => key)).toEqual(['telemetry.sdk.language', 'telemetry.sdk.name']);
    expect(span.attributes).toEqual([{ key: 'telemetry.sdk.name', value: 'y' }]);
    expect(span.warnings).toEqual(['conflicting values between Span and Resource for attribute telemetry.sdk.name']);
  });

  it('drops links that lead nowhere', () => {
    const span = testSpan({ links: [{ traceId: '', spanId: id(1), attributes: [] }] });
    dropEmptyLinks([span]);
    expect(span.links).toEqual([]);
    expect(span.warnings).toEqual(['Invalid span link removed']);
  });
});

describe('what Jaeger repairs before storing and Clew when reading', () => {
  it.each([
    ['absent', [{ key: 'a', value: 'b' }], 'missing-service-name'],
    ['empty', [{ key: 'service.name', value: '' }], 'empty-service-name'],
    ['an integer', [{ key: 'service.name', value: 5n }], 'service-name-wrong-type'],
  ])('names the service when it is %s', (_, attributes, word) => {
    const resource = { attributes: [...attributes] };
    sanitize([testSpan({ resource })]);
    expect(resource.attributes.find(({ key }) => key === 'service.name')?.value).toBe(word);
  });

  it('leaves a resource without any attributes alone', () => {
    const resource = { attributes: [] };
    sanitize([testSpan({ resource })]);
    expect(resource.attributes).toEqual([]);
  });

  it('names empty and unreadable spans and keeps the bytes', () => {
    const spans = [testSpan({ name: '' }), testSpan({ name: 'a\udcff' })];
    sanitize(spans);
    expect(spans.map((span) => span.name)).toEqual(['empty-span-name', 'invalid-span-name']);
    expect(spans[1]!.attributes).toEqual([{ key: 'invalid-span-name', value: Uint8Array.of(97, 255) }]);
  });

  it('makes unreadable values bytes and renames unreadable keys', () => {
    const span = testSpan({
      attributes: [
        { key: 'k', value: '\udcfe' },
        { key: '\udcfd', value: 'v' },
      ],
    });
    sanitize([span]);
    expect(span.attributes).toEqual([
      { key: 'k', value: Uint8Array.of(254) },
      { key: 'invalid-tag-key-1', value: Uint8Array.of(253, 58, 118) },
    ]);
  });

  it('lets a span that ends before it starts last a nanosecond, with a warning', () => {
    const span = testSpan({ startNano: 10n, endNano: 3n });
    sanitize([span]);
    expect(span.endNano).toBe(11n);
    expect(span.warnings).toEqual([
      'Negative duration detected, sanitizing end timestamp. Original end timestamp: 3, adjusted to: 11',
    ]);
  });
});

it('runs all adjusters over a trace in Jaeger’s order', () => {
  const client = testSpan({ spanId: id(9), kind: 3 });
  const kept = adjustTrace([client, testSpan({ spanId: id(9) }), testSpan({ spanId: id(9), kind: 3 })]);
  expect(kept.map((span) => span.spanId)).toEqual([id(9), id(1)]);
});
