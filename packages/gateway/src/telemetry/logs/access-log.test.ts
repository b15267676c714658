import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { accessLogFields } from '../../config/model/observability.ts';
import type { AccessLogConfig } from '../../config/model/observability.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import { RatioTraceStarter } from '../spans/trace-starter.ts';
import { arbitraryExchange } from '../test/arbitrary-exchange.ts';
import { endedExchange } from '../test/exchanges.ts';
import { MemorySink } from '../test/memory-sink.ts';
import { AccessLog } from './access-log.ts';

const config: AccessLogConfig = {
  enabled: true,
  format: 'json',
  includeTraceId: true,
  sampleRate: 1,
  sampleErrorsAlways: true,
  omittedFields: [],
  defaultFile: '/var/log/zentinel/access.log',
  bufferBytes: 8192,
  maxWaitingBytes: 16 * 1024 * 1024,
};

const starter = new RatioTraceStarter(1);

/** The lines of one request. */
function linesOf(settings: Partial<AccessLogConfig>, change?: (exchange: Exchange) => void, random = 0.5): string[] {
  const sink = new MemorySink();
  new AccessLog({ ...config, ...settings }, sink, 'instance-1', () => random).requestEnded(
    endedExchange(starter, change),
  );
  return sink.lines;
}

const lineOf = (...parameters: Parameters<typeof linesOf>): string => linesOf(...parameters)[0]!;
const jsonOf = (...parameters: Parameters<typeof linesOf>): Record<string, unknown> =>
  JSON.parse(lineOf(...parameters)) as Record<string, unknown>;

/** The fields of a line, from an exchange. */
function fieldsOf(exchange: Exchange): Record<string, unknown> {
  const { trace, connection, requestHeaders, lastAttempt } = exchange;
  const optional = (name: string, value: string | undefined): Record<string, string> =>
    value ? { [name]: value } : {};
  return {
    timestamp: new Date(exchange.startUnixMs).toISOString(),
    trace_id: trace.traceId,
    method: exchange.method,
    path: exchange.path,
    status: exchange.status,
    duration_ms: 12,
    span_id: trace.spanId,
    correlation_id: exchange.correlationId,
    ...optional('query', exchange.query),
    client_ip: connection.clientIp,
    ...optional('user_agent', requestHeaders[3]),
    ...optional('referer', requestHeaders[5]),
    ...optional('host', exchange.authority),
    protocol: `HTTP/${exchange.httpVersion}`,
    body_bytes: exchange.responseBodyBytes,
    body_bytes_sent: exchange.responseBodyBytes,
    ...(lastAttempt === undefined || lastAttempt.headMs === 0
      ? {}
      : { upstream_duration_ms: Math.max(0, Math.round(lastAttempt.headMs - lastAttempt.startMs)) }),
    ...optional('route_id', exchange.route?.id),
    ...optional('upstream', exchange.upstreamId),
    ...optional('upstream_addr', lastAttempt?.remoteAddress),
    upstream_attempts: exchange.attempts.length,
    connection_reused: lastAttempt?.connectionReused ?? false,
    rate_limit_hit: exchange.rateLimitHit,
    instance_id: 'instance-1',
  };
}

describe('the access log', () => {
  it('keeps every request on one line, whatever clients send', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('json', 'combined'), (hostile, format) => {
        const line = lineOf({ format }, (exchange) => {
          Object.assign(exchange, { method: hostile, path: hostile, query: hostile, authority: hostile });
          exchange.correlationId = hostile;
          exchange.requestHeaders = ['user-agent', hostile, 'referer', hostile];
        });
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        if (format === 'json') {
          expect(JSON.parse(line)).toMatchObject({ path: hostile, method: hostile, correlation_id: hostile });
        }
      }),
    );
  });

  it('cannot be made to hold a line of somebody else', () => {
    const line = lineOf({ format: 'combined' }, (exchange) => {
      exchange.requestHeaders = ['user-agent', 'x" 200 1\n203.0.113.9 - - [01/Jan/2026] "GET /admin'];
    });
    expect(line).toContain('"x\\" 200 1\\n203.0.113.9 - - [01/Jan/2026] \\"GET /admin"');
  });

  it('writes the fields of the quick start first, and every other', () => {
    const line = lineOf({});
    const { trace_id: traceId, span_id: spanId, ...rest } = JSON.parse(line) as Record<string, unknown>;
    expect(Object.keys(JSON.parse(line) as object).slice(0, 6)).toEqual([
      'timestamp',
      'trace_id',
      'method',
      'path',
      'status',
      'duration_ms',
    ]);
    expect([traceId, spanId]).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}$/),
      expect.stringMatching(/^[0-9a-f]{16}$/),
    ]);
    expect(rest).toEqual({
      timestamp: '2026-01-02T15:04:05.678Z',
      method: 'GET',
      path: '/api/users',
      status: 200,
      duration_ms: 12,
      correlation_id: '2Vf8QkJ1xYz',
      query: 'page=2',
      client_ip: '192.0.2.7',
      user_agent: 'curl/8.5.0',
      referer: 'http://shop.example/',
      host: 'shop.example:8080',
      protocol: 'HTTP/1.1',
      body_bytes: 1234,
      body_bytes_sent: 1234,
      upstream_duration_ms: 8,
      route_id: 'api',
      upstream: 'api-backend',
      upstream_addr: '127.0.0.1:3000',
      upstream_attempts: 1,
      connection_reused: false,
      rate_limit_hit: false,
      instance_id: 'instance-1',
    });
  });

  it('matches the pattern by which log viewers link to traces', () => {
    expect(/"trace_id":"([a-f0-9]+)"/.exec(lineOf({}))?.[1]).toHaveLength(32);
  });

  it('names the inbound trace when the gateway makes none, else the correlation id', () => {
    const untraced = (headers: readonly string[]) => (exchange: Exchange) => {
      exchange.trace.reset();
      exchange.requestHeaders = headers;
    };
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const inbound = jsonOf({}, untraced(['traceparent', `00-${traceId}-b7ad6b7169203331-00`]));
    expect([inbound['trace_id'], 'span_id' in inbound]).toEqual([traceId, false]);
    expect(jsonOf({}, untraced([]))['trace_id']).toBe('2Vf8QkJ1xYz');
  });

  it('tells of each request what that request said, whatever others on its connection and route said', () => {
    const sink = new MemorySink();
    const log = new AccessLog(config, sink, 'instance-1');
    fc.assert(
      fc.property(fc.array(arbitraryExchange(starter), { minLength: 1, maxLength: 10 }), (exchanges) => {
        sink.lines.length = 0;
        for (const exchange of exchanges) log.requestEnded(exchange);
        expect(sink.lines.map((line) => JSON.parse(line) as unknown)).toEqual(exchanges.map(fieldsOf));
      }),
      { numRuns: 150 },
    );
  });

  it('leaves out ids on request', () => {
    const line = jsonOf({ includeTraceId: false });
    expect(['trace_id' in line, 'span_id' in line, 'correlation_id' in line]).toEqual([false, false, true]);
  });

  it('leaves out each field that is switched off', () => {
    const line = jsonOf({ omittedFields: accessLogFields });
    expect(Object.keys(line)).toEqual([
      'correlation_id',
      'host',
      'protocol',
      'body_bytes',
      'route_id',
      'upstream',
      'upstream_attempts',
      'instance_id',
    ]);
  });

  it('leaves out what a request does not have', () => {
    const line = jsonOf({}, (exchange) => {
      Object.assign(exchange, { query: '', upstreamId: '', authority: '' });
      exchange.requestHeaders = [];
      exchange.route = undefined;
      exchange.attempts.length = 0;
    });
    for (const name of ['query', 'user_agent', 'referer', 'host', 'route_id', 'upstream', 'upstream_addr']) {
      expect(line).not.toHaveProperty(name);
    }
  });

  it('writes the combined format', () => {
    const line = lineOf({ format: 'combined' });
    expect(line).toMatch(
      /^192\.0\.2\.7 - - \[02\/Jan\/2026:15:04:05 \+0000\] "GET \/api\/users\?page=2 HTTP\/1\.1" 200 1234 "http:\/\/shop\.example\/" "curl\/8\.5\.0" [0-9a-f]{32} 12ms$/,
    );
  });

  it.each([
    ['a success beyond the rate', {}, 200, 0.5, 0],
    ['a success within the rate', {}, 200, 0.05, 1],
    ['an error whatever the rate', {}, 404, 0.5, 1],
    ['an error like any other when told so', { sampleErrorsAlways: false }, 404, 0.5, 0],
  ])('samples %s', (_what, settings, status, random, lines) => {
    const written = linesOf({ sampleRate: 0.1, ...settings }, (exchange) => (exchange.status = status), random);
    expect(written).toHaveLength(lines);
  });

  it('writes nothing when it is off', () => {
    expect(linesOf({ enabled: false })).toEqual([]);
  });
});
