import type { KeyValue, PlainSpan } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { decodedBatch, decodedSpan } from './test/message.ts';
import type { SpanInput, TagInput } from './test/message.ts';

const UNSET = 0;
const OK = 1;
const ERROR = 2;

/** Attributes as an object; a key that repeats has a list. */
function attributesOf(list: readonly KeyValue[]): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const { key, value } of list) found[key] = key in found ? [found[key], value].flat() : value;
  return found;
}

function withTags(tags: TagInput, process?: { tags?: TagInput }): PlainSpan {
  return decodedSpan({ tags }, process);
}

describe('the tag span.kind', () => {
  it.each([
    ['internal', 1],
    ['server', 2],
    ['client', 3],
    ['producer', 4],
    ['consumer', 5],
  ])('%s is the kind %i and no attribute', (name, kind) => {
    const span = withTags([['span.kind', name]]);
    expect([span.kind, span.attributes]).toEqual([kind, []]);
  });

  it('in other letters sets the kind and stays', () => {
    const span = withTags([['span.kind', 'Server']]);
    expect([span.kind, attributesOf(span.attributes)]).toEqual([2, { 'span.kind': 'Server' }]);
  });

  it.each([['broker'], [''], [3n], [true]])('%s says nothing and stays', (value) => {
    const span = withTags([['span.kind', value]]);
    expect([span.kind, attributesOf(span.attributes)]).toEqual([0, { 'span.kind': value }]);
  });

  it('sent twice stays twice, and the last one counts', () => {
    const span = withTags([
      ['span.kind', 'client'],
      ['span.kind', 'server'],
    ]);
    expect([span.kind, attributesOf(span.attributes)]).toEqual([2, { 'span.kind': ['client', 'server'] }]);
  });
});

describe('the status', () => {
  const go = { tags: [['telemetry.sdk.language', 'go']] as TagInput };
  const cases: readonly (readonly [string, TagInput, number, string, string[], { tags: TagInput }?])[] = [
    ['error true is an error', [['error', true]], ERROR, '', []],
    ['error "true" is an error and stays', [['error', 'true']], ERROR, '', ['error']],
    ['error false is none and stays', [['error', false]], UNSET, '', ['error']],
    ['error "boom" is none and stays', [['error', 'boom']], UNSET, '', ['error']],
    ['error 1 is none and stays', [['error', 1n]], UNSET, '', ['error']],
    [
      'the last of two error tags counts',
      [
        ['error', true],
        ['error', false],
      ],
      UNSET,
      '',
      ['error', 'error'],
    ],
    [
      'a description becomes the message',
      [
        ['error', true],
        ['otel.status_description', 'x'],
      ],
      ERROR,
      'x',
      [],
    ],
    [
      'HTTP’s message is the next best and stays',
      [
        ['error', true],
        ['http.status_message', 'x'],
      ],
      ERROR,
      'x',
      ['http.status_message'],
    ],
    [
      'a description goes before HTTP’s message',
      [
        ['error', true],
        ['http.status_message', 'y'],
        ['otel.status_description', 'x'],
      ],
      ERROR,
      'x',
      ['http.status_message'],
    ],
    [
      'a description without a status stays',
      [['otel.status_description', 'x']],
      UNSET,
      '',
      ['otel.status_description'],
    ],
    ['otel.status_code OK', [['otel.status_code', 'OK']], OK, '', []],
    [
      'otel.status_code ERROR',
      [
        ['otel.status_code', 'ERROR'],
        ['otel.status_description', 'x'],
      ],
      ERROR,
      'x',
      [],
    ],
    ['otel.status_code in other letters stays', [['otel.status_code', 'Error']], ERROR, '', ['otel.status_code']],
    [
      'otel.status_code UNSET stays and hides HTTP’s status',
      [
        ['otel.status_code', 'UNSET'],
        ['http.status_code', 500n],
      ],
      UNSET,
      '',
      ['otel.status_code', 'http.status_code'],
    ],
    [
      'error true goes before otel.status_code OK',
      [
        ['error', true],
        ['otel.status_code', 'OK'],
      ],
      ERROR,
      '',
      ['otel.status_code'],
    ],
    [
      'error false does not hide otel.status_code',
      [
        ['error', false],
        ['otel.status_code', 'ERROR'],
      ],
      ERROR,
      '',
      ['error'],
    ],
    ['a number says nothing', [['otel.status_code', 1n]], UNSET, '', ['otel.status_code']],
    ['1 is an error in Go’s processes', [['otel.status_code', 1n]], ERROR, '', ['otel.status_code'], go],
    ['2 is OK in Go’s processes', [['otel.status_code', 2n]], OK, '', ['otel.status_code'], go],
    ['0 is unset in Go’s processes', [['otel.status_code', 0n]], UNSET, '', ['otel.status_code'], go],
    [
      '2 is OK on a span that says it is Go’s',
      [
        ['otel.status_code', 2n],
        ['telemetry.sdk.language', 'go'],
      ],
      OK,
      '',
      ['otel.status_code', 'telemetry.sdk.language'],
    ],
    [
      '2 is OK beside Jaeger’s client for Go',
      [['otel.status_code', 2n]],
      OK,
      '',
      ['otel.status_code'],
      { tags: [['jaeger.version', 'Go-2.30.0']] },
    ],
    [
      '2 says nothing beside its client for Node',
      [['otel.status_code', 2n]],
      UNSET,
      '',
      ['otel.status_code'],
      { tags: [['jaeger.version', 'Node-3.19.0']] },
    ],
    ['HTTP 200', [['http.status_code', 200n]], UNSET, '', ['http.status_code']],
    ['HTTP 399', [['http.status_code', 399n]], UNSET, '', ['http.status_code']],
    ['HTTP 404 without a kind', [['http.status_code', 404n]], ERROR, '', ['http.status_code']],
    [
      'HTTP 404 of a client',
      [
        ['http.status_code', 404n],
        ['span.kind', 'client'],
      ],
      ERROR,
      '',
      ['http.status_code'],
    ],
    [
      'HTTP 404 of a server',
      [
        ['http.status_code', 404n],
        ['span.kind', 'server'],
      ],
      UNSET,
      '',
      ['http.status_code'],
    ],
    [
      'HTTP 500 of a server',
      [
        ['http.status_code', 500n],
        ['span.kind', 'server'],
        ['http.status_message', 'x'],
      ],
      ERROR,
      'x',
      ['http.status_code', 'http.status_message'],
    ],
    ['HTTP 500 as a double', [['http.status_code', 500]], ERROR, '', ['http.status_code']],
    ['HTTP 500 as text', [['http.status_code', '500']], ERROR, '', ['http.status_code']],
    ['HTTP 200 as text', [['http.status_code', '200']], UNSET, '', ['http.status_code']],
    ['HTTP 99', [['http.status_code', 99n]], ERROR, '', ['http.status_code']],
    ['HTTP -1 as text', [['http.status_code', '-1']], ERROR, '', ['http.status_code']],
    ['HTTP 2^40', [['http.status_code', 2n ** 40n]], ERROR, '', ['http.status_code']],
    ['HTTP 500.5', [['http.status_code', 500.5]], UNSET, '', ['http.status_code']],
    ['HTTP "none"', [['http.status_code', 'none']], UNSET, '', ['http.status_code']],
    ['HTTP true', [['http.status_code', true]], UNSET, '', ['http.status_code']],
  ];

  it.each(cases.map(([title, tags, code, message, kept, process]) => ({ title, tags, code, message, kept, process })))(
    '$title',
    ({ tags, code, message, kept, process }) => {
      const span = withTags(tags, process);
      expect([span.statusCode, span.statusMessage]).toEqual([code, message]);
      expect(span.attributes.map(({ key }) => key)).toEqual(kept);
    },
  );
});

describe('trace state and scope', () => {
  it('are taken from their tags', () => {
    const span = withTags([
      ['otel.scope.name', 'express'],
      ['otel.scope.version', '4.1'],
      ['w3c.tracestate', 'a=1'],
      ['otel.library.name', 'express'],
    ]);
    expect([span.scope.name, span.scope.version, span.traceState]).toEqual(['express', '4.1', 'a=1']);
    expect(attributesOf(span.attributes)).toEqual({ 'otel.library.name': 'express' });
  });

  it('a version without a name stays an attribute', () => {
    const span = withTags([['otel.scope.version', '4.1']]);
    expect([span.scope.name, span.scope.version]).toEqual(['', '']);
    expect(attributesOf(span.attributes)).toEqual({ 'otel.scope.version': '4.1' });
  });

  it('spans of one scope share it, and it tells the format', () => {
    const spans = decodedBatch([
      { tags: [['otel.scope.name', 'a']] },
      { tags: [] },
      { tags: [['otel.scope.name', 'a']] },
    ]);
    expect(spans[0]!.scope).toBe(spans[2]!.scope);
    expect(spans[0]!.scope).not.toBe(spans[1]!.scope);
    for (const { scope } of spans) expect(attributesOf(scope.attributes)).toEqual({ 'clew.carrier.format': 'jaeger' });
  });
});

describe('the parent', () => {
  const child = { span: 5n };
  const following = { span: 6n, isFollowing: true };
  const elsewhere = { span: 7n, trace: 99n };
  const id = (n: bigint) => n.toString(16).padStart(16, '0');
  const links = (span: PlainSpan) =>
    span.links.map((link) => [link.spanId, attributesOf(link.attributes)['opentracing.ref_type']]);

  const cases: readonly (readonly [string, SpanInput, bigint, unknown[], string?])[] = [
    ['is the id the span names', { parent: 3n }, 3n, []],
    ['is that id whatever the references say', { parent: 3n, references: [child] }, 3n, [[id(5n), 'child_of']]],
    [
      'is named by a reference that is then no link',
      { parent: 5n, references: [child, elsewhere] },
      5n,
      [[id(7n), 'child_of']],
    ],
    [
      'is the first CHILD_OF within the trace',
      { references: [elsewhere, following, child] },
      5n,
      [
        [id(7n), 'child_of'],
        [id(6n), 'follows_from'],
      ],
    ],
    [
      'is else the first FOLLOWS_FROM within the trace',
      { references: [elsewhere, following] },
      6n,
      [[id(7n), 'child_of']],
      'follows_from',
    ],
    ['is none when all references are to other traces', { references: [elsewhere] }, 0n, [[id(7n), 'child_of']]],
    ['is not a reference without an id', { references: [{ span: 0n }] }, 0n, [['', 'child_of']]],
    ['can be followed', { parent: 6n, references: [following] }, 6n, [], 'follows_from'],
    ['named twice is a link once', { references: [child, child] }, 5n, [[id(5n), 'child_of']]],
    ['types that are none count as FOLLOWS_FROM', { references: [{ span: 8n, type: 7 }] }, 8n, [], 'follows_from'],
  ];

  it.each(cases.map(([title, input, parent, expected, carrier]) => ({ title, input, parent, expected, carrier })))(
    '$title',
    ({ input, parent, expected, carrier }) => {
      const span = decodedSpan(input);
      expect(span.parentSpanId).toBe(parent === 0n ? '' : id(parent));
      expect(links(span)).toEqual(expected);
      expect(attributesOf(span.attributes)['clew.carrier.jaeger.parent_ref_type']).toBe(carrier);
    },
  );
});

describe('logs', () => {
  it('are events named by the field event', () => {
    const span = decodedSpan({
      logs: [
        {
          timeUs: 10n,
          fields: [
            ['level', 'warn'],
            ['event', 'retry'],
            ['try', 2n],
          ],
        },
        { timeUs: 11n, fields: [['message', 'no name']] },
        { timeUs: 12n, fields: [['event', 5n]] },
        { timeUs: 13n, fields: [['event', '']] },
        {
          timeUs: 14n,
          fields: [
            ['event', 'a'],
            ['event', 'b'],
          ],
        },
      ],
    });
    expect(
      span.events.map(({ timeUnixNano, name, attributes }) => [timeUnixNano, name, attributesOf(attributes)]),
    ).toEqual([
      [10_000n, 'retry', { level: 'warn', try: 2n }],
      [11_000n, '', { message: 'no name' }],
      [12_000n, '', { event: 5n }],
      [13_000n, '', { event: '' }],
      [14_000n, 'b', { event: ['a', 'b'] }],
    ]);
  });
});

describe('tags', () => {
  it('keep their types, and doubles stay doubles', () => {
    const span = withTags([
      ['text', 'x'],
      ['double', 500],
      ['bool', false],
      ['long', -(2n ** 63n)],
      ['binary', Uint8Array.of(0, 255)],
    ]);
    expect(attributesOf(span.attributes)).toEqual({
      text: 'x',
      double: 500,
      bool: false,
      long: -(2n ** 63n),
      binary: Uint8Array.of(0, 255),
    });
  });

  it('under keys of carriers are dropped: those are this program’s own', () => {
    const span = decodedSpan(
      {
        flags: 0,
        tags: [['clew.carrier.jaeger.flags', 7n]],
        logs: [{ timeUs: 0n, fields: [['clew.carrier.x', 'y']] }],
      },
      { tags: [['clew.carrier.jaeger.hostname', true]] },
    );
    expect([span.attributes, span.events[0]!.attributes]).toEqual([[], []]);
    expect(attributesOf(span.resource.attributes)).toEqual({ 'service.name': 'a service' });
  });

  it('flags travel as a carrier, unless they are zero', () => {
    const carried = (flags: number) => attributesOf(decodedSpan({ flags }).attributes)['clew.carrier.jaeger.flags'];
    expect([carried(0), carried(3), carried(-1)]).toEqual([undefined, 3n, 0xffff_ffffn]);
  });
});

describe('the process', () => {
  const resourceOf = (tags: TagInput, service?: string) =>
    attributesOf(decodedSpan({}, { tags, ...(service === undefined ? {} : { service }) }).resource.attributes);

  it('hostname and jaeger.version get OpenTelemetry’s names, and carriers say so', () => {
    expect(
      resourceOf([
        ['jaeger.version', 'Node-3.19.0'],
        ['hostname', 'host-a'],
        ['ip', 0x0a000005n],
      ]),
    ).toEqual({
      'service.name': 'a service',
      'opencensus.exporterversion': 'Jaeger-Node-3.19.0',
      'host.name': 'host-a',
      ip: 0x0a000005n,
      'clew.carrier.jaeger.hostname': true,
      'clew.carrier.jaeger.version': true,
    });
  });

  it('they keep their names beside tags that have the new ones, when sent twice, or of another type', () => {
    expect(
      resourceOf([
        ['hostname', 'a'],
        ['host.name', 'b'],
      ]),
    ).toMatchObject({ hostname: 'a', 'host.name': 'b' });
    expect(
      resourceOf([
        ['hostname', 'a'],
        ['hostname', 'b'],
      ]),
    ).toMatchObject({ hostname: ['a', 'b'] });
    expect(resourceOf([['jaeger.version', 3n]])).toEqual({ 'service.name': 'a service', 'jaeger.version': 3n });
  });

  it.each(['', 'OTLPResourceNoServiceName'])('the service name "%s" is none', (service) => {
    expect(resourceOf([['k', 'v']], service)).toEqual({ k: 'v' });
  });

  it('a service named by a tag alone stands first', () => {
    const span = decodedSpan(
      {},
      {
        service: '',
        tags: [
          ['k', 'v'],
          ['service.name', 'by tag'],
        ],
      },
    );
    expect(span.resource.attributes.map(({ key, value }) => [key, value])).toEqual([
      ['service.name', 'by tag'],
      ['k', 'v'],
    ]);
  });
});

describe('times', () => {
  const LAST = ((2n ** 64n - 1n) / 1000n) * 1000n;
  it.each([
    ['a start and a duration', 1_700_000_000_000_001n, 5n, 1_700_000_000_000_001_000n, 1_700_000_000_000_006_000n],
    ['a negative duration', 100n, -40n, 100_000n, 60_000n],
    ['an end before 1970', 100n, -400n, 100_000n, 0n],
    ['a start before 1970', -100n, 40n, 0n, 40_000n],
    ['a start beyond all', 2n ** 63n - 1n, 1n, LAST, LAST],
    ['a duration beyond all', 5n, 2n ** 63n - 1n, 5_000n, LAST],
  ])('%s', (_, startUs, durationUs, start, end) => {
    const span = decodedSpan({ startUs, durationUs });
    expect([span.startUnixNano, span.endUnixNano]).toEqual([start, end]);
  });
});
