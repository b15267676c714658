import { SpanKind, StatusCode } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { decodeZipkinV1Json } from './json-decode.ts';
import { encodeZipkinV2Json } from './json-encode.ts';
import { attributesOf, batchOf, jsonBytes, parsedJson, spansOf } from './test/spans.ts';
import { decodeZipkinV1Thrift } from './thrift-decode.ts';
import { encodeZipkinV1Thrift } from './thrift-encode.ts';
import { encodeZipkinV1Json } from './v1-json-encode.ts';

const ids = { traceId: '0000000000000001', id: '0000000000000002' };
const web = { serviceName: 'web', ipv4: '10.0.0.1' };
const db = { serviceName: 'db', ipv4: '10.0.0.2', port: 5432 };

interface V1Members {
  readonly name?: string;
  readonly timestamp?: number;
  readonly duration?: number;
  readonly debug?: boolean;
  /** Time, text and endpoint of each. */
  readonly annotations?: readonly (readonly [number, string, (object | undefined)?])[];
  /** Key, value and endpoint of each. */
  readonly binary?: readonly (readonly [string, unknown, (object | undefined)?, string?])[];
}

function v1Bytes({ annotations = [], binary = [], ...members }: V1Members): Uint8Array {
  return jsonBytes([
    {
      ...ids,
      ...members,
      annotations: annotations.map(([timestamp, value, endpoint]) => ({ timestamp, value, endpoint })),
      binaryAnnotations: binary.map(([key, value, endpoint, type]) => ({ key, value, endpoint, type })),
    },
  ]);
}

/** A v1 span as the v2 spans it stands for, without the ids. */
function asV2(members: V1Members): unknown[] {
  const spans = parsedJson(encodeZipkinV2Json(batchOf(decodeZipkinV1Json, v1Bytes(members)))) as Record<
    string,
    unknown
  >[];
  return spans.map(({ traceId, id, ...rest }) => {
    expect({ traceId, id }).toEqual(ids);
    return rest;
  });
}

function plain(members: V1Members): PlainSpan {
  return spansOf(decodeZipkinV1Json, v1Bytes(members))[0]!;
}

describe('one side of a call', () => {
  it.each([
    ['cs', 'cr', 'CLIENT'],
    ['sr', 'ss', 'SERVER'],
    ['ms', 'ws', 'PRODUCER'],
    ['wr', 'mr', 'CONSUMER'],
  ])('%s and %s make a span of kind %s, timed by the span itself', (begin, end, kind) => {
    const annotations = [
      [5, begin, web],
      [9, end, web],
    ] as const;
    expect(asV2({ timestamp: 5, duration: 3, annotations })).toEqual([
      { kind, timestamp: 5, duration: 3, localEndpoint: web },
    ]);
  });

  it.each([
    ['cs', 'cr', { kind: 'CLIENT' }],
    ['sr', 'ss', { kind: 'SERVER', shared: true }],
    ['ms', 'ws', { kind: 'PRODUCER' }],
    ['wr', 'mr', { kind: 'CONSUMER' }],
  ])('%s and %s time a span that does not say its times', (begin, end, expected) => {
    expect(
      asV2({
        annotations: [
          [5, begin, web],
          [9, end, web],
        ],
      }),
    ).toEqual([{ ...expected, timestamp: 5, duration: 4, localEndpoint: web }]);
  });

  it('that only began keeps its time, and one that only ended keeps the end as an annotation', () => {
    expect(asV2({ annotations: [[5, 'cs', web]] })).toEqual([{ kind: 'CLIENT', timestamp: 5, localEndpoint: web }]);
    expect(asV2({ annotations: [[9, 'cr', web]] })).toEqual([
      { kind: 'CLIENT', localEndpoint: web, annotations: [{ timestamp: 9, value: 'cr' }] },
    ]);
    expect(asV2({ annotations: [[9, 'mr', web]] })).toEqual([{ kind: 'CONSUMER', timestamp: 9, localEndpoint: web }]);
  });

  it('whose end is where its times end has begun when its times begin', () => {
    expect(asV2({ timestamp: 5, duration: 4, annotations: [[9, 'cr', web]] })).toEqual([
      { kind: 'CLIENT', timestamp: 5, duration: 4, localEndpoint: web },
    ]);
    expect(asV2({ timestamp: 5, duration: 4, annotations: [[9, 'ss', web]] })).toEqual([
      { kind: 'SERVER', timestamp: 5, duration: 4, localEndpoint: web },
    ]);
    expect(asV2({ timestamp: 5, duration: 4, annotations: [[8, 'ss', web]] })).toMatchObject([
      { annotations: [{ timestamp: 8, value: 'ss' }] },
    ]);
  });

  it('of a server that did not begin the span is shared', () => {
    expect(asV2({ annotations: [[5, 'sr', web]] })).toMatchObject([{ kind: 'SERVER', shared: true }]);
    expect(asV2({ timestamp: 5, annotations: [[5, 'sr', web]] })).toEqual([
      { kind: 'SERVER', timestamp: 5, localEndpoint: web },
    ]);
    expect(
      asV2({
        timestamp: 5,
        annotations: [
          [5, 'sr', web],
          [9, 'ss', web],
        ],
      }),
    ).toMatchObject([{ shared: true }]);
  });
});

describe('both sides of a call', () => {
  const both = [
    [1, 'cs', web],
    [3, 'sr', db],
    [5, 'ss', db],
    [9, 'cr', web],
  ] as const;

  it('become two spans, of which the server shares the id', () => {
    expect(asV2({ annotations: both })).toEqual([
      { kind: 'CLIENT', timestamp: 1, duration: 8, localEndpoint: web },
      { kind: 'SERVER', timestamp: 3, duration: 2, localEndpoint: db, shared: true },
    ]);
    expect(asV2({ timestamp: 2, duration: 6, annotations: both })).toMatchObject([
      { timestamp: 2, duration: 6 },
      { timestamp: 3, duration: 2 },
    ]);
  });

  it('become two spans also when a service calls itself', () => {
    expect(asV2({ annotations: both.map(([time, value]) => [time, value, web] as const) })).toEqual([
      { kind: 'CLIENT', timestamp: 1, duration: 8, localEndpoint: web },
      { kind: 'SERVER', timestamp: 3, duration: 2, localEndpoint: web, shared: true },
    ]);
  });

  it('of a message become producer and consumer', () => {
    const annotations = [
      [1, 'ms', web],
      [2, 'ws', web],
      [5, 'wr', db],
      [9, 'mr', db],
    ] as const;
    expect(asV2({ annotations })).toEqual([
      { kind: 'PRODUCER', timestamp: 1, duration: 1, localEndpoint: web },
      { kind: 'CONSUMER', timestamp: 5, duration: 4, localEndpoint: db, shared: true },
    ]);
  });

  it('keep what each said, and give the first what nobody in particular said', () => {
    const spans = asV2({
      annotations: [...both, [4, 'hit', db], [6, 'miss', web], [7, 'nobody']],
      binary: [
        ['q', 'select', db],
        ['u', '1', web],
        ['x', 'y'],
      ],
    });
    expect(spans).toMatchObject([
      { annotations: [{ value: 'miss' }, { value: 'nobody' }], tags: { u: '1', x: 'y' } },
      { annotations: [{ value: 'hit' }], tags: { q: 'select' } },
    ]);
  });
});

describe('addresses', () => {
  it('are the remote endpoints of client, server and messages', () => {
    const remote = { remoteEndpoint: db };
    expect(asV2({ annotations: [[1, 'cs', web]], binary: [['sa', true, db]] })).toMatchObject([
      { kind: 'CLIENT', ...remote },
    ]);
    expect(asV2({ annotations: [[1, 'sr', web]], binary: [['ca', 'true', db]] })).toMatchObject([
      { kind: 'SERVER', ...remote },
    ]);
    expect(asV2({ annotations: [[1, 'ms', web]], binary: [['ma', '1', db]] })).toMatchObject([
      { kind: 'PRODUCER', ...remote },
    ]);
  });

  it('name no remote service that is the own one, as Finagle does', () => {
    const own = { serviceName: 'web', ipv4: '10.0.0.1', port: 61_000 };
    const { serviceName: _, ...address } = own;
    expect(asV2({ timestamp: 1, annotations: [[1, 'sr', web]], binary: [['ca', true, own]] })).toEqual([
      { kind: 'SERVER', timestamp: 1, localEndpoint: web, remoteEndpoint: address },
    ]);
  });

  it('tell the rest of a span without core annotations', () => {
    expect(asV2({ binary: [['sa', true, db]] })).toEqual([{ remoteEndpoint: db }]);
    expect(asV2({ binary: [['ca', true, db]] })).toEqual([{ kind: 'SERVER', remoteEndpoint: db }]);
    expect(
      asV2({
        binary: [
          ['ca', true, web],
          ['sa', true, db],
        ],
      }),
    ).toEqual([{ localEndpoint: web, remoteEndpoint: db }]);
  });

  it('are tags when they say something else', () => {
    expect(
      asV2({
        binary: [
          ['sa', 'South Australia', web],
          ['ca', true],
        ],
      }),
    ).toEqual([{ localEndpoint: web, tags: { sa: 'South Australia', ca: 'true' } }]);
  });
});

describe('local spans', () => {
  it('have the endpoint of their empty lc, and are timed by their annotations', () => {
    expect(
      asV2({
        annotations: [
          [7, 'b'],
          [3, 'a'],
        ],
        binary: [['lc', '', web]],
      }),
    ).toEqual([
      {
        timestamp: 3,
        duration: 4,
        localEndpoint: web,
        annotations: [
          { timestamp: 3, value: 'a' },
          { timestamp: 7, value: 'b' },
        ],
      },
    ]);
  });

  it('have a component, which is written as lc again', () => {
    const bytes = v1Bytes({ timestamp: 1, binary: [['lc', 'spring', web]] });
    const batch = batchOf(decodeZipkinV1Json, bytes);
    expect(attributesOf(plain({ timestamp: 1, binary: [['lc', 'spring', web]] }))).toMatchObject({
      component: 'spring',
    });
    expect(parsedJson(encodeZipkinV1Json(batch))).toMatchObject([
      { binaryAnnotations: [{ key: 'lc', value: 'spring' }] },
    ]);
    expect(parsedJson(encodeZipkinV2Json(batch))).toMatchObject([{ tags: { component: 'spring' } }]);
  });
});

describe('values', () => {
  const binary = [
    ['b', true],
    ['f', 'false', undefined, 'BOOL'],
    ['i', 42],
    ['l', '-9223372036854775808', undefined, 'I64'],
    ['d', 2.5],
    ['whole', 2, undefined, 'DOUBLE'],
    ['nan', 'NaN', undefined, 'DOUBLE'],
    ['bytes', 'AQID', undefined, 'BYTES'],
    ['odd bytes', 'A!', undefined, 'BYTES'],
    ['odd number', 'x', undefined, 'I32'],
    ['s', '42'],
    ['null', null],
  ] as const;
  const expected = {
    b: true,
    f: false,
    i: 42n,
    l: -(2n ** 63n),
    d: 2.5,
    whole: 2,
    nan: NaN,
    bytes: Uint8Array.of(1, 2, 3),
    'odd bytes': 'A!',
    'odd number': 'x',
    s: '42',
    null: '',
  };

  it('keep their types', () => {
    expect(attributesOf(plain({ timestamp: 1, binary }))).toEqual(expected);
  });

  it('keep their types through Thrift, with 64 bits for each integer', () => {
    const thrift = encodeZipkinV1Thrift(batchOf(decodeZipkinV1Json, v1Bytes({ timestamp: 1, binary })));
    expect(attributesOf(spansOf(decodeZipkinV1Thrift, thrift)[0]!)).toEqual(expected);
  });

  it('may not be arrays or objects', () => {
    expect(() => plain({ binary: [['a', []]] })).toThrow(
      'the value of a binary annotation must be a text, number or bool',
    );
  });
});

describe('status', () => {
  const { UNSET, OK, ERROR } = StatusCode;
  it.each([
    [{ 'census.status_code': '0', error: 'x' }, OK, ''],
    [{ 'census.status_code': '5', 'census.status_description': 'gone' }, ERROR, 'gone'],
    [{ 'census.status_code': 5, 'opencensus.status_description': 'lost' }, ERROR, 'lost'],
    [{ 'otel.status_code': '2' }, ERROR, ''],
    [{ 'otel.status_code': 1, error: 'x' }, OK, ''],
    [{ 'otel.status_code': 'ERROR', 'otel.status_description': 'why' }, ERROR, 'why'],
    [{ error: 'refused' }, ERROR, 'refused'],
    [{ error: true }, ERROR, ''],
    [{ error: false }, UNSET, ''],
    [{ 'http.status_code': '500' }, ERROR, ''],
    [{ 'http.status_code': 404 }, ERROR, ''],
    [{ 'http.status_code': '399' }, UNSET, ''],
    [{ 'http.status_code': 'teapot' }, UNSET, ''],
  ])('of %j is %i with message %j', (tags, statusCode, statusMessage) => {
    expect(plain({ timestamp: 1, binary: Object.entries(tags) })).toMatchObject({ statusCode, statusMessage });
  });
});

describe('writing v1', () => {
  it('says with annotations what v2 has fields for', () => {
    const members = {
      name: 'get',
      timestamp: 5,
      duration: 4,
      annotations: [
        [5, 'cs', web],
        [7, 'x', web],
        [9, 'cr', web],
      ],
      binary: [
        ['k', 'v', web],
        ['sa', true, db],
      ],
      debug: true,
    } as const;
    const written = parsedJson(encodeZipkinV1Json(batchOf(decodeZipkinV1Json, v1Bytes(members))));
    expect(written).toEqual([
      {
        ...ids,
        name: 'get',
        timestamp: 5,
        duration: 4,
        annotations: [
          { timestamp: 5, value: 'cs', endpoint: web },
          { timestamp: 9, value: 'cr', endpoint: web },
          { timestamp: 7, value: 'x', endpoint: web },
        ],
        binaryAnnotations: [
          { key: 'k', value: 'v', endpoint: web },
          { key: 'sa', value: true, endpoint: db },
        ],
        debug: true,
      },
    ]);
  });

  it('leaves the times of a shared span to its annotations', () => {
    const written = encodeZipkinV1Json(
      batchOf(
        decodeZipkinV1Json,
        v1Bytes({
          annotations: [
            [5, 'sr', web],
            [9, 'ss', web],
          ],
        }),
      ),
    );
    expect(parsedJson(written)).toEqual([
      {
        ...ids,
        name: '',
        annotations: [
          { timestamp: 5, value: 'sr', endpoint: web },
          { timestamp: 9, value: 'ss', endpoint: web },
        ],
        binaryAnnotations: [],
      },
    ]);
  });
});

describe('Thrift', () => {
  it('values that have not the length of their type stay bytes', () => {
    const thrift = encodeZipkinV1Thrift(
      batchOf(decodeZipkinV1Json, v1Bytes({ timestamp: 1, binary: [['k', 'AQID', undefined, 'BYTES']] })),
    );
    // The type of the only value: i32 1 behind its three bytes and the header of field 3.
    const at = thrift.findIndex((_, i) => [1, 2, 3, 8, 0, 3, 0, 0, 0, 1].every((byte, j) => thrift[i + j] === byte));
    thrift[at + 9] = 4;
    expect(attributesOf(spansOf(decodeZipkinV1Thrift, thrift)[0]!)).toEqual({ k: Uint8Array.of(1, 2, 3) });
  });

  it('knows kinds, ports above 32,767 and addresses of version 6', () => {
    const host = { serviceName: 'web', ipv6: '2001:db8::1', port: 40_000 };
    const thrift = encodeZipkinV1Thrift(
      batchOf(
        decodeZipkinV1Json,
        v1Bytes({
          timestamp: 5,
          duration: 1,
          annotations: [
            [5, 'cs', host],
            [6, 'cr', host],
          ],
        }),
      ),
    );
    const [span] = spansOf(decodeZipkinV1Thrift, thrift);
    expect(span).toMatchObject({ kind: SpanKind.CLIENT, startUnixNano: 5000n, endUnixNano: 6000n });
    expect(attributesOf(span!)).toEqual({ 'network.local.address': '2001:db8::1', 'net.host.port': 40_000n });
  });
});
