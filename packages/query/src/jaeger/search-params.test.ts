import { describe, expect, it } from 'vitest';
import { goDurationText, parseGoBool, parseGoDuration, parseGoInt } from './go-text.ts';
import { parseSearchParams, readJaegerTraceId } from './search-params.ts';

const now = 1_700_000_000_000_000_000n;
const parse = (query: string) => parseSearchParams(new URLSearchParams(query), now);
const errorOf = (query: string) => {
  const parsed = parse(query);
  return parsed.ok ? 'no error' : parsed.error;
};
const valueOf = (query: string) => {
  const parsed = parse(query);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

describe('parameters of a Jaeger trace search', () => {
  it.each([
    ['', "parameter 'service' is required"],
    ['service=a&start=abc', `unable to parse param 'start': strconv.ParseInt: parsing "abc": invalid syntax`],
    [
      'service=a&end=9223372036854775808',
      `unable to parse param 'end': strconv.ParseInt: parsing "9223372036854775808": value out of range`,
    ],
    ['service=a&tag=novalue', `malformed 'tag' parameter, expecting key:value, received: novalue`],
    [
      'service=a&tags={"a":1}',
      `malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal number into Go value of type string`,
    ],
    [
      'service=a&tags={"a":true}',
      `malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal bool into Go value of type string`,
    ],
    [
      'service=a&tags=[1]',
      `malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal array into Go value of type map[string]string`,
    ],
    ['service=a&tags={"a":', `malformed 'tags' parameter, cannot unmarshal JSON: unexpected end of JSON input`],
    [
      'service=a&tags=error',
      `malformed 'tags' parameter, cannot unmarshal JSON: invalid character 'e' looking for beginning of value`,
    ],
    [
      'service=a&tags={a:1}',
      `malformed 'tags' parameter, cannot unmarshal JSON: invalid character 'a' looking for beginning of object key string`,
    ],
    ['service=a&limit=x', `strconv.ParseInt: parsing "x": invalid syntax`],
    ['service=a&limit=3000000000', `strconv.ParseInt: parsing "3000000000": value out of range`],
    ['service=a&limit=0', 'search depth must be greater than 0 and less than max traces'],
    ['service=a&minDuration=20', `unable to parse param 'minDuration': time: missing unit in duration "20"`],
    ['service=a&minDuration=abc', `unable to parse param 'minDuration': time: invalid duration "abc"`],
    [
      'service=a&maxDuration=5parsecs',
      `unable to parse param 'maxDuration': time: unknown unit "parsecs" in duration "5parsecs"`,
    ],
    ['service=a&minDuration=2s&maxDuration=1s', `'maxDuration' should be greater than 'minDuration'`],
    ['traceID=xyz', `cannot parse traceID param: strconv.ParseUint: parsing "xyz": invalid syntax`],
    ['service=a&raw=maybe', `unable to parse param 'raw': strconv.ParseBool: parsing "maybe": invalid syntax`],
    ['start=abc&limit=x', `unable to parse param 'start': strconv.ParseInt: parsing "abc": invalid syntax`],
  ])('refuses %j with Jaeger’s words', (query, message) => {
    expect(errorOf(query)).toBe(message);
  });

  it('defaults to the last 48 hours and 100 traces', () => {
    expect(valueOf('service=shop')).toEqual({
      traceIds: [],
      service: 'shop',
      operation: '',
      startUnixNano: now - 172_800_000_000_000n,
      endUnixNano: now,
      tags: [],
      minDurationNano: undefined,
      maxDurationNano: undefined,
      limit: 100,
      raw: false,
    });
  });

  it('lets tags override tag, and splits tag at its first colon', () => {
    const { tags } = valueOf('service=a&tag=url:http://x/y&tag=a:1&tags={"a":"2","b":"3"}');
    expect(Object.fromEntries(tags)).toEqual({ url: 'http://x/y', a: '2', b: '3' });
  });

  it('needs no service when ids are given', () => {
    expect(valueOf('traceID=abc&traceID=DEF').traceIds).toEqual(['abc'.padStart(32, '0'), 'def'.padStart(32, '0')]);
  });

  it('clamps a very large limit', () => {
    expect(valueOf('service=a&limit=2000000').limit).toBe(20_000);
  });
});

describe('trace ids in Jaeger routes', () => {
  it('pads short ids and lowers case', () => {
    expect(readJaegerTraceId('ABC')).toEqual({ ok: true, value: 'abc'.padStart(32, '0') });
  });
  it('accepts base64 of 16 bytes in both alphabets', () => {
    const bytes = Buffer.from('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0', 'hex');
    for (const encoding of ['base64', 'base64url'] as const) {
      expect(readJaegerTraceId(bytes.toString(encoding))).toEqual({ ok: true, value: bytes.toString('hex') });
    }
  });
  it('refuses more than 32 digits and anything else with Go’s words', () => {
    const long = 'a'.repeat(33);
    expect(readJaegerTraceId(long)).toEqual({
      ok: false,
      error: `TraceID cannot be longer than 32 hex characters: ${long}`,
    });
    expect(readJaegerTraceId('not-hex')).toEqual({
      ok: false,
      error: 'strconv.ParseUint: parsing "not-hex": invalid syntax',
    });
  });
});

describe('Go’s parsers', () => {
  it.each([
    ['1h2m3s', 3_723_000_000_000n],
    ['1.5s', 1_500_000_000n],
    ['.5ms', 500_000n],
    ['100us', 100_000n],
    ['100µs', 100_000n],
    ['-2s', -2_000_000_000n],
    ['0', 0n],
  ])('reads the duration %s', (text, nanos) => {
    expect(parseGoDuration(text)).toEqual({ ok: true, value: nanos });
  });
  it('refuses durations past 292 years', () => {
    expect(parseGoDuration('9999999h').ok).toBe(false);
  });
  it.each([
    [0n, '0s'],
    [999n, '999ns'],
    [2_000n, '2µs'],
    [250_000_000n, '250ms'],
    [1_500_000_000n, '1.5s'],
    [-3_723_000_000_000n, '-1h2m3s'],
    [60_000_000_000n, '1m0s'],
  ])('prints %s ns as %s', (nanos, text) => {
    expect(goDurationText(nanos)).toBe(text);
  });
  it('reads signed integers and the six spellings of a bool', () => {
    expect(parseGoInt('+5')).toEqual({ ok: true, value: 5n });
    expect(parseGoInt('').ok).toBe(false);
    expect(parseGoBool('T')).toEqual({ ok: true, value: true });
  });
});
