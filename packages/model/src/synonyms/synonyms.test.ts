import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromPlain, plainSpan } from '../plain.ts';
import { SpanCursor } from '../batch/span-cursor.ts';
import { SpanKind } from '../otlp-numbers.ts';
import type { AttributeValue } from '../values/value.ts';
import { isReversible, toCurrent, toOlder } from './convert.ts';
import { canonicalKey, currentNamesOf, findWithSynonyms, olderNamesOf, synonymsOf, synonymValues } from './synonyms.ts';
import { synonymTable } from './table.ts';

interface Facts {
  readonly synonyms: Readonly<Record<string, readonly { readonly key: string; readonly when?: string }[]>>;
}
const facts = JSON.parse(readFileSync(new URL('testdata/synonyms.json', import.meta.url), 'utf8')) as Facts;

function cursorOf(
  attributes: Readonly<Record<string, AttributeValue>>,
  more: Partial<Parameters<typeof plainSpan>[0]> = {},
): SpanCursor {
  return new SpanCursor(fromPlain([plainSpan({ traceId: '1', spanId: '1', attributes, ...more })])).moveTo(0);
}

function find(
  attributes: Readonly<Record<string, AttributeValue>>,
  key: string,
  kind: number = SpanKind.CLIENT,
): AttributeValue | undefined {
  return findWithSynonyms(cursorOf(attributes).attributes, key, kind);
}

describe('synonyms', () => {
  it('cover every name of the collected facts, both ways', () => {
    for (const [current, rows] of Object.entries(facts.synonyms)) {
      for (const { key, when } of rows) {
        const level = when?.includes('log field') === true ? 'event' : 'span';
        for (const older of key.split(' + ').slice(-1)) {
          expect(synonymsOf(current, level), current).toContain(older);
          expect(synonymsOf(older, level), older).toContain(current);
        }
      }
    }
  });

  it('never name a current key as older than another, except where an old pair became one key', () => {
    for (const current of Object.keys(synonymTable)) {
      const asOlder = currentNamesOf(current);
      expect(
        asOlder.filter((row) => row.current !== current || row.prefix === undefined),
        current,
      ).toEqual([]);
    }
  });

  it('leave unknown keys alone', () => {
    expect([canonicalKey('order.id'), synonymsOf('order.id'), olderNamesOf('order.id'), find({}, 'order.id')]).toEqual([
      'order.id',
      ['order.id'],
      [],
      undefined,
    ]);
    expect(find({ 'order.id': 7n }, 'order.id')).toBe(7n);
  });

  it('find a value under whichever name is asked for, the current name first', () => {
    expect(find({ 'http.status_code': 500n }, 'http.response.status_code')).toBe(500n);
    expect(find({ 'http.response.status_code': 500n }, 'http.status_code')).toBe(500n);
    expect(find({ 'http.status_code': 1n, 'http.response.status_code': 2n }, 'http.status_code')).toBe(2n);
  });

  it('respect the kind of span that decides what an old name meant', () => {
    expect(canonicalKey('net.peer.name', SpanKind.SERVER)).toBe('client.address');
    expect(canonicalKey('net.peer.name', SpanKind.CLIENT)).toBe('server.address');
    expect(find({ 'net.peer.name': 'db' }, 'client.address', SpanKind.CLIENT)).toBeUndefined();
    expect(find({ 'net.peer.name': 'db' }, 'client.address', SpanKind.SERVER)).toBe('db');
    expect(find({ 'net.peer.name': 'db' }, 'net.peer.name', SpanKind.INTERNAL)).toBe('db');
  });

  it('join and split what was cut differently', () => {
    expect(find({ 'code.namespace': 'com.Shop', 'code.function': 'buy' }, 'code.function.name')).toBe('com.Shop.buy');
    expect(find({ 'code.function': 'buy' }, 'code.function.name')).toBeUndefined();
    expect(find({ 'rpc.service': 'pkg.Shop', 'rpc.method': 'Buy' }, 'rpc.method')).toBe('pkg.Shop/Buy');
    expect(find({ 'rpc.method': 'pkg.Shop/Buy' }, 'rpc.method')).toBe('pkg.Shop/Buy');
    expect(find({ 'http.target': '/a?b=1' }, 'url.path')).toBe('/a');
    expect(find({ 'http.target': '/a?b=1' }, 'url.query')).toBe('b=1');
    expect(find({ 'http.target': '/a' }, 'url.query')).toBeUndefined();
  });

  it('look at events only for what were log fields', () => {
    const cursor = cursorOf({ 'error.kind': 'IOError' });
    expect(findWithSynonyms(cursor.attributes, 'exception.type', 0)).toBeUndefined();
    expect(findWithSynonyms(cursor.attributes, 'exception.type', 0, 'event')).toBe('IOError');
  });
});

describe('conversion between names', () => {
  it('maps values that were renamed with their key, and leaves others', () => {
    expect(toCurrent('db_system', 'mssql')).toBe('microsoft.sql_server');
    expect(toCurrent('db_system', 'postgresql')).toBe('postgresql');
    expect(toCurrent('grpc_status', 14n)).toBe('UNAVAILABLE');
    expect(toCurrent('http_flavor', '2.0')).toBe('2');
    expect(toCurrent('net_transport', 'ip_tcp')).toBe('tcp');
    expect(toCurrent('list', 'admin, user')).toEqual(['admin', 'user']);
    expect(toCurrent('text', 3n)).toBe('3');
  });

  it('takes the host out of whatever held it', () => {
    const hosts = [
      'example.com:8080',
      'http://user@example.com:80/x?y',
      '[::1]:80',
      '::1',
      'kafka://broker',
      '',
      '/path',
      5n,
    ];
    expect(hosts.map((host) => toCurrent('host', host))).toEqual([
      'example.com',
      'example.com',
      '::1',
      '::1',
      'broker',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('lists the older values of a current one, which lead back to it', () => {
    expect(toOlder('db_system', 'microsoft.sql_server')).toEqual(['microsoft.sql_server', 'mssql']);
    expect(toOlder('grpc_status', 'OK')).toEqual(['OK', 0n]);
    expect(toOlder('text', '5')).toEqual(['5', 5n]);
    expect(toOlder('first_part', 'main|shop')).toEqual(['main']);
    expect(toOlder('host', 'a')).toEqual([]);
    expect([isReversible('host'), isReversible('before_query'), isReversible('text'), isReversible(undefined)]).toEqual(
      [false, false, true, true],
    );
    const values = fc.constantFrom('mssql', 'microsoft.sql_server', 'OK', '0', '2', '1.1', 'tcp', 'ip_tcp', 'x');
    fc.assert(
      fc.property(
        fc.constantFrom('db_system', 'rpc_system', 'grpc_status', 'http_flavor', 'net_transport', 'text', undefined),
        values,
        (convert, value) => {
          for (const older of toOlder(convert, value)) expect(toCurrent(convert, older)).toBe(value);
        },
      ),
    );
  });
});

describe('values under other names', () => {
  it.each<[key: string, name: string, value: AttributeValue, expected: AttributeValue[]]>([
    ['host.name', 'hostname', 'a', ['a']],
    ['jaeger.version', 'opencensus.exporterversion', 'Go-2.30.0', ['Go-2.30.0', 'Jaeger-Go-2.30.0']],
    ['opencensus.exporterversion', 'jaeger.version', 'Jaeger-Go-2.30.0', ['Jaeger-Go-2.30.0', 'Go-2.30.0']],
    ['opencensus.exporterversion', 'jaeger.version', '1.2', ['1.2']],
    ['network.peer.address', 'peer.ipv4', '10.0.0.5', ['10.0.0.5', 167_772_165n]],
    ['peer.ipv4', 'peer.ipv4', '200.0.0.1', ['200.0.0.1', 3_355_443_201n, -939_524_095n]],
    ['net.peer.ip', 'peer.ipv4', '10.0.0.999', ['10.0.0.999']],
    ['peer.ipv4', 'network.peer.address', 167_772_165n, [167_772_165n, '10.0.0.5']],
    ['db.system.name', 'db.system', 'microsoft.sql_server', ['microsoft.sql_server', 'mssql']],
    ['rpc.grpc.status_code', 'rpc.status_code', '5', ['5', 'NOT_FOUND']],
    ['rpc.status_code', 'rpc.grpc.status_code', 'NOT_FOUND', ['NOT_FOUND', 5n]],
    ['http.flavor', 'network.protocol.version', '2.0', ['2.0', '2']],
    ['http.target', 'url.path', '/a?b', ['/a?b']],
    ['rpc.method', 'rpc.method', 'Get', ['Get']],
    ['k', 'k', 'v', ['v']],
  ])('%s, asked for as %s, of %s', (key, name, value, expected) => {
    expect(synonymValues(key, name, value)).toEqual(expected);
  });

  it('of Zipkin’s endpoints and Jaeger’s process tags are found under the names of today', () => {
    expect(synonymsOf('net.host.ip')).toContain('network.local.address');
    expect(synonymsOf('network.local.address')).toContain('net.host.ip');
    expect(synonymsOf('net.peer.ip')).toContain('network.peer.address');
    expect(synonymsOf('network.peer.port')).toContain('net.peer.port');
    expect(synonymsOf('network.local.port')).toContain('net.host.port');
    expect(synonymsOf('peer.service')).toContain('service.peer.name');
    expect(canonicalKey('net.peer.port', SpanKind.CLIENT)).toBe('server.port');
    expect(canonicalKey('net.host.port')).toBe('server.port');
    expect(find({ 'peer.ipv4': 167_772_165n }, 'network.peer.address')).toBe('10.0.0.5');
  });
});
