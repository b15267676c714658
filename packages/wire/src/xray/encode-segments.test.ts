import { SpanKind, StatusCode, fromPlain, keyValues, plainResource } from '@clew/model';
import type { PlainSpanInput } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { encodeSegments } from './encode-segments.ts';
import type { EncodeSegmentsOptions, SegmentLoss } from './encode-segments.ts';
import { attributesOf, decodedBatch, decodedSpans, encodedDocuments, minimal } from './test/documents.ts';
import { documentsOf, exceptionEvent, noLink } from './test/spans.ts';

describe('what is left out is told: ', () => {
  const lossesOf = (span: Partial<PlainSpanInput>, options: EncodeSegmentsOptions) => {
    const losses: SegmentLoss[] = [];
    const documents = documentsOf(span, {}, { ...options, onLoss: (loss) => losses.push(loss) });
    return { documents, losses, dropped: losses.map(({ what }) => what) };
  };
  const long = 'x'.repeat(3_000);

  it('spans whose trace id tells another time, when that is checked', () => {
    const nowUnixSeconds = 0x581cf771;
    const check = (now: number) => lossesOf({}, { skipTimestampValidation: false, nowUnixSeconds: now });
    expect(check(nowUnixSeconds + 28 * 86_400).losses).toEqual([]);
    expect(check(nowUnixSeconds - 300).losses).toEqual([]);
    for (const now of [nowUnixSeconds + 28 * 86_400 + 1, nowUnixSeconds - 301]) {
      const { documents, losses } = check(now);
      expect(documents).toEqual([]);
      expect(losses).toMatchObject([
        { row: 0, what: 'span', reason: expect.stringMatching(/^invalid xray traceid: 581cf771/) as string },
      ]);
    }
    expect(lossesOf({}, { nowUnixSeconds: 0 }).losses).toEqual([]);
  });

  it('metadata first, the largest namespace before others, and no more than needed', () => {
    const { documents, dropped } = lossesOf(
      { attributes: { 'aws.xray.metadata.big': JSON.stringify({ long }), small: 'kept' } },
      { maxDocumentBytes: 1_000 },
    );
    expect(dropped).toEqual(['metadata']);
    expect(documents[0]!['metadata']).toEqual({ default: { small: 'kept' } });
  });

  it('stack frames then, counted in X-Ray’s own way', () => {
    const stack = ['E: m', ...Array.from({ length: 100 }, (_, n) => `\tat a.b.C.d${n}(C.java:${n})`)].join('\n');
    const span = { events: [exceptionEvent({ 'exception.type': 'E', 'exception.stacktrace': stack })] };
    const losses: SegmentLoss[] = [];
    const [document] = documentsOf(
      span,
      { 'telemetry.sdk.language': 'java' },
      {
        maxDocumentBytes: 1_000,
        onLoss: (loss) => losses.push(loss),
      },
    );
    expect(losses.map(({ what }) => what)).toEqual(['metadata', 'stacks']);
    expect(document).toMatchObject({ cause: { exceptions: [{ type: 'E', truncated: 100 }] } });
  });

  it('links, long texts, annotations and exceptions in this order, and the span when nothing helps', () => {
    const span = {
      attributes: { 'http.request.method': 'GET', 'url.full': `http://a/${long}`, indexed: 'y'.repeat(400) },
      links: Array.from({ length: 20 }, () => ({ ...noLink })),
      events: [exceptionEvent({ 'exception.message': 'z'.repeat(400) })],
    };
    const options = { indexAllAttributes: true };
    const droppedAt = (maxDocumentBytes: number) => lossesOf(span, { ...options, maxDocumentBytes }).dropped;
    expect(droppedAt(10_000)).toEqual([]);
    expect(droppedAt(4_500)).toEqual(['links']);
    expect(droppedAt(2_000)).toEqual(['links', 'long_texts']);
    expect(droppedAt(1_400)).toEqual(['links', 'long_texts', 'annotations']);
    expect(droppedAt(900)).toEqual(['links', 'long_texts', 'annotations', 'exceptions']);
    expect(droppedAt(100)).toEqual(['links', 'long_texts', 'annotations', 'exceptions', 'span']);
  });

  it('nothing of a document that fits once its subsegments go by themselves', () => {
    const metadata = { default: { long: 'x'.repeat(40_000) } };
    const batch = decodedBatch(
      minimal({ metadata, subsegments: [{ name: 'a', id: '1111111111111111', start_time: 1, metadata }] }),
    );
    const losses: SegmentLoss[] = [];
    const documents = encodedDocuments(batch, { onLoss: (loss) => losses.push(loss) });
    expect(losses).toEqual([]);
    expect(documents.map(({ id, parent_id, type, trace_id }) => ({ id, parent_id, type, trace_id }))).toEqual([
      { id: '70de5b6f19ff9a0a', trace_id: '1-581cf771-a006649127e371903a2de979' },
      {
        id: '1111111111111111',
        parent_id: '70de5b6f19ff9a0a',
        type: 'subsegment',
        trace_id: '1-581cf771-a006649127e371903a2de979',
      },
    ]);
  });
});

describe('a span that came in a segment document', () => {
  it('is written with what processors changed', () => {
    const batch = decodedBatch(minimal({ http: { request: { method: 'GET' } } }));
    const [span] = decodedSpans(minimal({ http: { request: { method: 'GET' } } }));
    expect(batch.count).toBe(1);
    const changed = fromPlain([
      {
        ...span!,
        statusCode: StatusCode.ERROR,
        attributes: keyValues({
          'http.request.method': 'POST',
          added: 1n,
          'aws.bucket_name': 'b',
          'db.namespace': 'd',
        }),
        resource: plainResource({ 'service.name': 'renamed', 'deployment.environment.name': 'prod' }),
      },
    ]);
    expect(encodedDocuments(changed)).toMatchObject([
      {
        name: 'renamed',
        fault: true,
        http: { request: { method: 'POST' } },
        aws: { bucket_name: 'b' },
        metadata: { default: { added: 1, 'db.namespace': 'd', 'otel.resource.deployment.environment.name': 'prod' } },
      },
    ]);
  });

  it('stays a document of its own when its parent came in another', () => {
    const own = { name: 'a', id: '1111111111111111', type: 'subsegment', parent_id: '70de5b6f19ff9a0a' };
    const batch = decodedBatch(minimal(), minimal(own));
    expect(encodedDocuments(batch)).toEqual([minimal(), minimal(own)]);
  });

  it('is written once even when spans are each other’s parents', () => {
    const [span] = decodedSpans(minimal({ parent_id: '1111111111111111', type: 'subsegment' }));
    const other = { ...span!, spanId: span!.parentSpanId, parentSpanId: span!.spanId };
    const self = { ...span!, spanId: other.spanId, parentSpanId: other.spanId };
    expect(encodeSegments(fromPlain([span!, other]))).toHaveLength(1);
    expect(decodedSpans(...encodeSegments(fromPlain([span!, other])))).toHaveLength(2);
    expect(encodeSegments(fromPlain([self]))).toHaveLength(1);
  });

  it('goes into as many documents as it takes not to nest deeper than decoding allows', () => {
    let document: object = minimal({ id: 'ffffffffffffffff' });
    for (let level = 1; level < 31; level++)
      document = minimal({ id: level.toString(16).padStart(16, '0'), subsegments: [document] });
    const batch = decodedBatch(document);
    expect(batch.count).toBe(31);
    expect(encodeSegments(batch)).toHaveLength(1);
    const root = decodedSpans(minimal())[0]!;
    const chain = Array.from({ length: 100 }, (_, n) => ({
      ...root,
      kind: SpanKind.INTERNAL,
      spanId: (n + 1).toString(16).padStart(16, '0') as typeof root.spanId,
      parentSpanId: (n === 0 ? '' : n.toString(16).padStart(16, '0')) as typeof root.spanId,
    }));
    const documents = encodeSegments(fromPlain(chain));
    expect(decodedSpans(...documents)).toHaveLength(100);
    expect(documents).toHaveLength(4);
  });

  it('is written alone when only its row is asked for', () => {
    const batch = decodedBatch(minimal({ subsegments: [minimal({ id: '1111111111111111' })] }));
    const [document] = encodeSegments(batch, [1]);
    expect(JSON.parse(new TextDecoder().decode(document))).toEqual(
      minimal({ id: '1111111111111111', type: 'subsegment', parent_id: '70de5b6f19ff9a0a' }),
    );
    expect(attributesOf(decodedSpans(document!)[0]!.scope.attributes)).toEqual({ 'clew.carrier.format': 'xray' });
  });
});
