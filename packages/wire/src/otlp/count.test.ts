import { describe, expect, it } from 'vitest';
import { countDataPoints, countLogRecords, countSpans } from './count.ts';
import { bytes, group, jsonBytes, message, number, raw, wireErrorOf } from './test/message.ts';

describe('counting items of a request', () => {
  it('fails on what is malformed on the way to them', () => {
    expect(wireErrorOf(() => countLogRecords(raw(0x0a, 0x09), 'protobuf')).code).toBe('truncated');
    expect(wireErrorOf(() => countLogRecords(message(1, number(2, 1)), 'protobuf')).code).toBe('wrong_wire_type');
    expect(wireErrorOf(() => countLogRecords(jsonBytes('[]'), 'json')).code).toBe('wrong_json_type');
    expect(wireErrorOf(() => countDataPoints(jsonBytes('{"resourceMetrics":[{]}'), 'json')).code).toBe('invalid_json');
    expect(wireErrorOf(() => countDataPoints(jsonBytes('{} x'), 'json')).code).toBe('invalid_json');
  });

  it('an empty request has none', () => {
    for (const count of [countSpans, countLogRecords, countDataPoints]) {
      expect(count(new Uint8Array(0), 'protobuf')).toBe(0);
      expect(count(jsonBytes('{}'), 'json')).toBe(0);
    }
  });

  it('does not look into the items, and skips what lies beside the way', () => {
    const junk = raw(0xff, 0xff);
    const request = bytes(
      number(900, 1),
      message(1, message(1, junk), message(2, message(2, junk), group(77), message(2, junk))),
    );
    expect(countLogRecords(request, 'protobuf')).toBe(2);
    expect(countSpans(request, 'protobuf')).toBe(2);
  });

  it('log records in JSON', () => {
    const request = {
      resourceLogs: [
        { resource: { logRecords: [1] }, scopeLogs: [{ logRecords: [{ body: { stringValue: 'a' } }, {}, null] }, {}] },
        null,
      ],
    };
    expect(countLogRecords(jsonBytes(request), 'json')).toBe(2);
  });

  it('data points in JSON, of every kind of metric', () => {
    const points = (count: number) => ({ dataPoints: Array.from({ length: count }, () => ({ asInt: '1' })) });
    const metrics = [
      { name: 'dataPoints', gauge: points(1) },
      { sum: points(2) },
      { histogram: points(4) },
      { exponentialHistogram: points(8) },
      { exponential_histogram: points(16) },
      { summary: points(32) },
      { sum: null },
    ];
    expect(countDataPoints(jsonBytes({ resourceMetrics: [{ scope_metrics: [{ metrics }] }] }), 'json')).toBe(63);
  });
});
