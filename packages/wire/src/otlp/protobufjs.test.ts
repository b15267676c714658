import { fileURLToPath } from 'node:url';
import { SpanBatch, fromPlain } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { countDataPoints, countLogRecords } from './count.ts';
import { encodeTracesJson } from './json-encode.ts';
import { decodeTraces } from './protobuf-decode.ts';
import { encodeTraces } from './protobuf-encode.ts';
import { decodePartialSuccess, encodePartialSuccess } from './partial-success.ts';

/** Another protobuf implementation on the same bytes. */

const root = protobuf.loadSync(fileURLToPath(new URL('testdata/otlp.proto', import.meta.url)));
const TraceRequest = root.lookupType('otlp.TraceRequest');

/** A decoded message as plain JSON: 64-bit as text, bytes as base64, defaults left out. */
function asJson(bytes: Uint8Array): unknown {
  return TraceRequest.toObject(TraceRequest.decode(bytes), { longs: String, bytes: String, json: true });
}

/** OTLP/JSON as protobufjs would show it: ids in base64, and none of the empty members that are written all the same. */
function asProtobufjs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asProtobufjs);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key, member]) => !(MAY_BE_EMPTY.has(key) && isEmpty(member)))
    .map(([key, member]) => [key, key.endsWith('Id') ? base64OfHex(member) : asProtobufjs(member)]);
  return Object.fromEntries(entries);
}

const MAY_BE_EMPTY = new Set(['scope', 'status', 'traceId', 'spanId', 'parentSpanId', 'key', 'type']);

function isEmpty(member: unknown): boolean {
  return member === '' || (typeof member === 'object' && member !== null && Object.keys(member).length === 0);
}

function base64OfHex(value: unknown): string {
  return Buffer.from(String(value), 'hex').toString('base64');
}

describe('compared with protobufjs', () => {
  it('what is encoded here, protobufjs reads as the same values', () => {
    fc.assert(
      fc.property(arbitrarySpans({ invalidUtf8: false }), (spans) => {
        const batch = fromPlain(spans);
        const own = JSON.parse(new TextDecoder().decode(encodeTracesJson(batch))) as unknown;
        expect(asJson(encodeTraces(batch))).toEqual(asProtobufjs(own));
      }),
      { numRuns: 150 },
    );
  });

  it('what protobufjs encodes, decodes here to the same values', () => {
    fc.assert(
      fc.property(arbitrarySpans({ invalidUtf8: false }), (spans) => {
        const bytes = encodeTraces(fromPlain(spans));
        const theirs = TraceRequest.encode(TraceRequest.decode(bytes)).finish();
        const batch = new SpanBatch();
        decodeTraces(theirs, batch);
        expect(asJson(encodeTraces(batch))).toEqual(asJson(bytes));
      }),
      { numRuns: 150 },
    );
  });

  it('log records and data points that protobufjs wrote are counted', () => {
    const logs = root.lookupType('otlp.LogsRequest');
    const record = { severityText: 'INFO', body: { stringValue: 'x' } };
    const logBytes = logs
      .encode(
        logs.fromObject({
          resourceLogs: [{ scopeLogs: [{ logRecords: [record, record] }, {}, { logRecords: [record] }] }, {}],
        }),
      )
      .finish();
    expect(countLogRecords(logBytes, 'protobuf')).toBe(3);

    const metrics = root.lookupType('otlp.MetricsRequest');
    const dataPoints = (count: number) => ({ dataPoints: Array.from({ length: count }, () => ({ asDouble: 1 })) });
    const kinds = { gauge: 1, sum: 2, histogram: 4, exponentialHistogram: 8, summary: 16 };
    const all = Object.entries(kinds).map(([kind, count]) => ({ name: kind, [kind]: dataPoints(count) }));
    const metricBytes = metrics
      .encode(
        metrics.fromObject({
          resourceMetrics: [{ scopeMetrics: [{ metrics: all }, { metrics: [{ name: 'none' }] }] }],
        }),
      )
      .finish();
    expect(countDataPoints(metricBytes, 'protobuf')).toBe(31);
  });

  it('partial success is read and written alike', () => {
    const response = root.lookupType('otlp.PartialSuccessResponse');
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.string({ unit: 'binary' }),
        (rejected, message) => {
          const bytes = encodePartialSuccess({ rejected, message }, 'protobuf', 'traces');
          const { partialSuccess } = response.toObject(response.decode(bytes), {
            longs: String,
            defaults: true,
            objects: true,
          }) as {
            partialSuccess: { rejected: string; errorMessage: string } | null;
          };
          expect(partialSuccess ?? { rejected: '0', errorMessage: '' }).toEqual({
            rejected: String(rejected),
            errorMessage: message,
          });
          const theirs = response
            .encode(response.fromObject({ partialSuccess: { rejected: String(rejected), errorMessage: message } }))
            .finish();
          const expected = rejected === 0n && message === '' ? undefined : { rejected, message };
          expect(decodePartialSuccess(theirs, 'protobuf')).toEqual(expected);
        },
      ),
    );
  });
});
