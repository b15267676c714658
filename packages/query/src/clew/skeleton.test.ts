import { spanFlags } from '@clew/api';
import { Carrier, fromPlain, plainResource, plainSpan, ShownTrace, traceViewOf } from '@clew/model';
import type { PlainSpan, PlainSpanInput } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { findRows } from './find-rows.ts';
import { traceSkeleton } from './skeleton.ts';
import { spanDetails } from './span-details.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const base = 1_760_000_000_000_000_000n;
const ms = (n: number) => base + BigInt(n) * 1_000_000n;
const span = (id: number, from: number, to: number, more: Partial<PlainSpanInput> = {}): PlainSpan =>
  plainSpan({
    traceId,
    spanId: String(id),
    name: `span ${id}`,
    service: 'shop',
    startUnixNano: ms(from),
    endUnixNano: ms(to),
    ...more,
  });
const view = (spans: readonly PlainSpan[]) => traceViewOf(fromPlain(spans));
const shown = (spans: readonly PlainSpan[]) => new ShownTrace(view(spans));
const skeleton = (spans: readonly PlainSpan[], more: { maxSpans?: number; lastReceivedUnixMs?: number } = {}) =>
  traceSkeleton(shown(spans), { maxSpans: 1000, nowUnixMs: 100_000, ...more });

describe('the skeleton of a trace', () => {
  it('orders rows by start, then longer first, whatever order they came in', () => {
    const result = skeleton([
      span(3, 20, 30, { parentSpanId: '2', kind: 3, statusCode: 2 }),
      span(2, 10, 40, { parentSpanId: '1' }),
      span(1, 10, 100, { kind: 2 }),
    ]);
    expect(result.columns.ids).toBe('000000000000000100000000000000020000000000000003');
    expect(result.columns.parents).toEqual([-1, 0, 1]);
    expect(result.columns.startDeltaNano).toEqual([0, 0, 10_000_000]);
    expect(result.columns.durationNano).toEqual([90_000_000, 30_000_000, 10_000_000]);
    expect(result.columns.kinds).toEqual([2, 0, 3]);
    expect(result.columns.statuses).toEqual([0, 0, 2]);
    expect([result.startUnixNano, result.durationNano, result.spanCount]).toEqual([String(ms(10)), '90000000', 3]);
    expect(result.warnings).toEqual([]);
  });

  it('names parents that are missing and says how many', () => {
    const result = skeleton([
      span(1, 0, 10, { parentSpanId: 'aa' }),
      span(2, 1, 5, { parentSpanId: 'aa' }),
      span(3, 1, 4, { parentSpanId: 'bb' }),
    ]);
    expect(result.missingParents).toEqual(['00000000000000aa', '00000000000000bb']);
    expect(result.columns.parents).toEqual([-2, -2, -3]);
    expect(result.completeness.missingParentCount).toBe(2);
    expect(result.warnings.map(({ code, count }) => [code, count])).toEqual([['missing_parent', 2]]);
  });

  it('marks spans that end before they start, have no start, share an id or run in a circle', () => {
    const result = skeleton([
      span(1, 50, 40),
      plainSpan({ traceId, spanId: '2', service: 'shop', startUnixNano: 0n, endUnixNano: ms(60) }),
      span(3, 60, 70),
      span(3, 61, 70),
      span(4, 62, 70, { parentSpanId: '5' }),
      span(5, 63, 70, { parentSpanId: '4' }),
    ]);
    const flagsOf = (id: string) =>
      result.columns.ids.match(/.{16}/g)!.flatMap((other, i) => (other.endsWith(id) ? [result.columns.flags[i]!] : []));
    expect(flagsOf('1')).toEqual([spanFlags.negativeDuration]);
    expect(flagsOf('2')).toEqual([spanFlags.unsetStart]);
    expect(flagsOf('3')).toEqual([spanFlags.duplicateId]);
    expect(result.columns.flags.filter((flags) => flags === spanFlags.duplicateId)).toHaveLength(2);
    expect(
      flagsOf('4')
        .concat(flagsOf('5'))
        .some((flags) => (flags & spanFlags.parentCycle) !== 0),
    ).toBe(true);
    expect(result.columns.startDeltaNano.every((delta) => delta >= 0)).toBe(true);
    expect(result.startUnixNano).toBe(String(ms(50)));
    expect(new Set(result.warnings.map(({ code }) => code))).toEqual(
      new Set(['negative_duration', 'unset_start', 'duplicate_id']),
    );
  });

  it('shows callee and caller that were sent with one id as child and parent, each under an id that names one row', () => {
    const result = skeleton([
      span(1, 0, 90, { kind: 3, service: 'web' }),
      span(1, 10, 80, { kind: 2, attributes: { [Carrier.ZIPKIN_SHARED]: true } }),
      span(2, 20, 30, { parentSpanId: '1' }),
    ]);
    const ids = result.columns.ids.match(/.{16}/g)!;
    expect(result.columns.parents).toEqual([-1, 0, 1]);
    expect([ids[0], new Set(ids).size]).toEqual(['0000000000000001', 3]);
    expect(result.columns.flags).toEqual([spanFlags.sharedId, spanFlags.sharedId, 0]);
    expect([result.warnings, result.columns.attributes]).toEqual([[], [0, 0, 0]]);
  });

  it('shows resources, libraries and failures that exporters could only put on spans, and all as it was sent when asked to', () => {
    const attributes = { 'service.name': 'mail', 'otel.library.name': 'smtp', error: true };
    const bare = { ...span(1, 0, 9, { attributes }), resource: plainResource({}) };
    const repaired = skeleton([bare]);
    expect([repaired.services, repaired.scopes, repaired.columns.attributes]).toEqual([['mail'], ['smtp'], [1]]);
    expect(repaired.columns.statuses).toEqual([2]);
    const sent = new ShownTrace(view([bare]), { asSent: true });
    const raw = traceSkeleton(sent, { maxSpans: 9, nowUnixMs: 1 });
    expect([raw.services, raw.scopes, raw.columns.attributes, raw.columns.statuses]).toEqual([[], [], [3], [0]]);
    expect(raw.etag).not.toBe(repaired.etag);
  });

  it('marks exceptions, followers and demo data', () => {
    const follower = span(2, 1, 5, {
      parentSpanId: '1',
      attributes: { [Carrier.JAEGER_PARENT_REF_TYPE]: 'follows_from' },
    });
    expect(skeleton([span(1, 0, 9), follower]).columns.flags).toEqual([0, spanFlags.followsFrom]);
    const exception = {
      timeUnixNano: ms(1),
      name: 'exception',
      attributes: [],
      droppedAttributes: 0,
    } as unknown as PlainSpan['events'][number];
    const resource = plainResource({ 'service.name': 'shop', 'clew.demo': true });
    const { columns } = skeleton([{ ...span(1, 0, 5), events: [exception], resource }]);
    expect(columns.flags).toEqual([spanFlags.exception | spanFlags.demo]);
    expect(columns.events).toEqual([1]);
  });

  it('shows a status code or an operation beside a name', () => {
    const result = skeleton([
      span(1, 0, 9, { attributes: { 'http.response.status_code': 503n } }),
      span(2, 1, 9, { attributes: { 'db.operation.name': 'SELECT' } }),
      span(3, 2, 9),
    ]);
    expect(result.columns.labels.map((label) => result.labels[label])).toEqual(['503', 'SELECT', undefined]);
  });

  it('has an etag that changes exactly when a row does, and knows whether more may come', () => {
    const spans = [span(1, 0, 9), span(2, 1, 5)];
    const first = skeleton(spans, { lastReceivedUnixMs: 95_000 });
    const later = skeleton(spans, { lastReceivedUnixMs: 50_000 });
    expect([first.completeness.growing, later.completeness.growing]).toEqual([true, false]);
    expect(first.etag).toBe(later.etag);
    expect(skeleton([...spans, span(3, 2, 3)]).etag).not.toBe(first.etag);
  });

  it('ends at the limit and says so', () => {
    const result = skeleton([span(1, 0, 9), span(2, 1, 5), span(3, 2, 3)], { maxSpans: 2 });
    expect(result.spanCount).toBe(2);
    expect(result.facts).toMatchObject({ limit: 2, returned: 2, more: true, stopReason: 'limit' });
  });

  it('is complete for a trace without any usable time', () => {
    const result = skeleton([plainSpan({ traceId, spanId: '1', name: 'x' })]);
    expect([result.spanCount, result.durationNano, result.startUnixNano]).toEqual([1, '0', '0']);
  });
});

describe('span details', () => {
  const resource = plainResource({ 'service.name': 'shop', 'host.name': 'a' });
  const spans = [
    {
      ...span(1, 0, 9, {
        attributes: {
          n: 9_007_199_254_740_993n,
          list: ['a', 1n],
          map: { entries: [{ key: 'k', value: null }] },
          bytes: Uint8Array.of(1),
        },
      }),
      resource,
    },
    { ...span(2, 1, 5, { attributes: { d: Number.NaN, ok: true, 'clew.carrier.jaeger.flags': 1n } }), resource },
  ];

  it('carry every type exactly, and hide what other protocols left', () => {
    const { spans: details, notFound } = spanDetails(shown(spans), [
      '0000000000000001',
      '0000000000000002',
      '00000000000000ff',
    ]);
    expect(details[0]!.attributes).toEqual([
      { key: 'n', value: { type: 'int', value: '9007199254740993' } },
      {
        key: 'list',
        value: {
          type: 'array',
          value: [
            { type: 'string', value: 'a' },
            { type: 'int', value: '1' },
          ],
        },
      },
      { key: 'map', value: { type: 'kvlist', value: [{ key: 'k', value: { type: 'empty' } }] } },
      { key: 'bytes', value: { type: 'bytes', value: 'AQ==' } },
    ]);
    expect(details[1]!.attributes).toEqual([
      { key: 'd', value: { type: 'double', value: 'NaN' } },
      { key: 'ok', value: { type: 'bool', value: true } },
    ]);
    expect(notFound).toEqual(['00000000000000ff']);
  });

  it('give all spans sent with an id, and one for each id of the skeleton', () => {
    const trace = shown([span(1, 0, 90, { kind: 3, service: 'web' }), span(1, 10, 80, { kind: 2, parentSpanId: '9' })]);
    const ids = traceSkeleton(trace, { maxSpans: 9, nowUnixMs: 1 }).columns.ids.match(/.{16}/g)!;
    const both = spanDetails(trace, [ids[0]!]).spans;
    expect(both.map(({ id, spanId, kind }) => [id, spanId, kind])).toEqual([
      [ids[0], ids[0], 3],
      [ids[1], ids[0], 2],
    ]);
    expect(both[1]!.parentSpanId).toBe('0000000000000009');
    const one = spanDetails(trace, [ids[1]!]);
    expect([one.spans.map(({ id }) => id), one.notFound]).toEqual([[ids[1]], []]);
  });

  it('show what spans say of their resource and library there, with the span’s own attributes apart', () => {
    const attributes = { 'host.name': 'a', 'otel.scope.name': 'http', 'otel.scope.version': 'undefined', n: 1n };
    const sent = view([span(1, 0, 9, { attributes })]);
    const answer = spanDetails(new ShownTrace(sent), ['0000000000000001']);
    expect(answer.resources[0]!.attributes.map(({ key }) => key)).toEqual(['service.name', 'host.name']);
    expect(answer.scopes).toEqual([{ name: 'http', attributes: [], droppedAttributes: 0 }]);
    expect(answer.spans[0]!.attributes.map(({ key }) => key)).toEqual(['n']);
    const raw = spanDetails(new ShownTrace(sent, { asSent: true }), ['0000000000000001']);
    expect(raw.spans[0]!.attributes.map(({ key }) => key)).toEqual(Object.keys(attributes));
    expect(raw.spans[0]!.scope).toBe(-1);
  });

  it('name each resource once', () => {
    const { resources, spans: details } = spanDetails(shown(spans), ['0000000000000001', '0000000000000002']);
    expect(resources).toHaveLength(1);
    expect(resources[0]).toMatchObject({
      service: 'shop',
      attributes: [{ key: 'service.name' }, { key: 'host.name' }],
    });
    expect(details.map((detail) => [detail.resource, detail.scope])).toEqual([
      [0, -1],
      [0, -1],
    ]);
  });
});

describe('finding in a trace', () => {
  const rows = (text: string) =>
    findRows(
      view([
        span(1, 0, 9, { name: 'GET /cart' }),
        span(2, 1, 5, { attributes: { 'user.id': 'Käthe B', n: 5n }, statusMessage: 'timeout' }),
      ]),
      text,
    );

  it.each([
    ['cart', [0]],
    ['SHOP', [0, 1]],
    ['käthe', [1]],
    ['timeout', [1]],
    ['user.id="käthe b"', [1]],
    ['n=5', [1]],
    ['n=6', []],
    ['nothing here', []],
  ])('finds %j in rows %j', (text, expected) => {
    expect(rows(text)).toEqual(expected);
  });
});
