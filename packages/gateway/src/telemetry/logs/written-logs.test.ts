import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { AuditLogConfig, ErrorLogConfig } from '../../config/model/observability.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import type { AgentVerdict } from '../../proxy/observer.ts';
import { RatioTraceStarter } from '../spans/trace-starter.ts';
import { endedExchange } from '../test/exchanges.ts';
import { MemorySink } from '../test/memory-sink.ts';
import { createApplicationLog } from './application-log.ts';
import { AuditLog } from './audit-log.ts';
import { ErrorLog } from './error-log.ts';

const starter = new RatioTraceStarter(1);
const sinkSettings = { enabled: true, defaultFile: '', bufferBytes: 8192, maxWaitingBytes: 16 * 1024 * 1024 };
const errorConfig: ErrorLogConfig = { ...sinkSettings, level: 'warn' };
const auditConfig: AuditLogConfig = { ...sinkSettings, logBlocked: true, logAgentDecisions: true, logWafEvents: true };

const parsed = ({ lines }: MemorySink): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

function errorLines(change: (exchange: Exchange) => void, config: Partial<ErrorLogConfig> = {}) {
  const sink = new MemorySink();
  new ErrorLog({ ...errorConfig, ...config }, sink).requestEnded(endedExchange(starter, change));
  return parsed(sink);
}

const timeout = { status: 504, type: 'Timeout', reason: 'upstream_timeout', message: 'no answer in 5 s' } as const;
const limited = { status: 429, type: 'RateLimit', reason: 'rate_limited', message: 'too many' } as const;
const noRoute = { status: 404, type: 'NotFound', reason: 'no_route', message: 'no route' } as const;

describe('the error log', () => {
  it('tells what failed, where, and of which trace', () => {
    const [line] = errorLines((exchange) => Object.assign(exchange, { status: 504, failure: timeout }));
    expect(line).toMatchObject({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      level: 'error',
      message: 'no answer in 5 s',
      route_id: 'api',
      upstream: 'api-backend',
      correlation_id: '2Vf8QkJ1xYz',
      details: { status: 504, error_type: 'Timeout', reason: 'upstream_timeout' },
    });
  });

  it.each<[string, Partial<Exchange>, Partial<ErrorLogConfig>, number]>([
    ['an answer of the upstream below 500', { status: 404 }, {}, 0],
    ['an answer of the upstream from 500 on', { status: 502 }, {}, 1],
    ['a route that does not exist', { status: 404, failure: noRoute }, {}, 0],
    ['a refusal of the gateway', { status: 429, failure: limited }, {}, 1],
    ['a refusal, when only errors are wanted', { status: 429, failure: limited }, { level: 'error' }, 0],
    ['a response that was cut', { status: 200, end: 'cut' }, { level: 'error' }, 1],
    ['anything when it is off', { status: 504, failure: timeout }, { enabled: false }, 0],
  ])('for %s', (_what, change, config, count) => {
    expect(errorLines((exchange) => Object.assign(exchange, change), config)).toHaveLength(count);
  });
});

const noAudit = { tags: [], ruleIds: [], reasonCodes: [], custom: {} };
const refusalOf = (reason: 'block' | 'redirect' | 'challenge', body = ''): AgentVerdict['refusal'] => ({
  agentId: 'auth',
  reason,
  response: { status: reason === 'block' ? 403 : 302, headers: [], body },
});

function auditLines(write: (log: AuditLog) => void, config: Partial<AuditLogConfig> = {}) {
  const sink = new MemorySink();
  write(new AuditLog({ ...auditConfig, ...config }, sink));
  return parsed(sink);
}

const decided = (verdict: Partial<AgentVerdict>) => (log: AuditLog) =>
  log.agentsDecided(endedExchange(starter), { event: 'request_headers', audit: noAudit, routing: {}, ...verdict });

describe('the audit log', () => {
  it('tells who blocked what, and why', () => {
    const audit = { ...noAudit, tags: ['bot'], reasonCodes: ['R1'], confidence: 0.9, custom: { score: 7 } };
    expect(auditLines(decided({ audit, refusal: refusalOf('block', 'no bots') as never }))).toMatchObject([
      {
        event_type: 'blocked',
        method: 'GET',
        path: '/api/users',
        client_ip: '192.0.2.7',
        route_id: 'api',
        reason: 'no bots',
        agent_id: 'auth',
        action: 'block',
        status_code: 403,
        tags: ['bot', 'agent:auth'],
        metadata: { event: 'request_headers', reason_codes: ['R1'], confidence: 0.9, score: 7 },
      },
    ]);
  });

  it('tells what agents say about routing beside what they decided', () => {
    const audit = { ...noAudit, tags: ['new'] };
    expect(auditLines(decided({ audit, routing: { pool: 'canary' } }))).toMatchObject([
      { metadata: { routing: { pool: 'canary' } } },
    ]);
    expect(auditLines(decided({ audit }))[0]!['metadata']).not.toHaveProperty('routing');
  });

  it('says that an agent blocked when it gave no reason', () => {
    expect(auditLines(decided({ refusal: refusalOf('block') as never }))[0]).toMatchObject({
      reason: 'Blocked by agent',
    });
  });

  it.each<[string, Partial<AgentVerdict>, string[]]>([
    ['a request that passed without a remark', {}, []],
    ['a remark', { audit: { ...noAudit, tags: ['new'] } }, ['agent_decision']],
    ['a challenge', { refusal: refusalOf('challenge') as never }, ['auth_event']],
    ['a redirect', { refusal: refusalOf('redirect') as never }, ['agent_decision']],
    ['a rule that matched', { audit: { ...noAudit, ruleIds: ['942100'] } }, ['waf_match']],
    [
      'a rule that blocked',
      { audit: { ...noAudit, ruleIds: ['1'] }, refusal: refusalOf('block') as never },
      ['waf_block'],
    ],
  ])('names %s', (_what, verdict, events) => {
    expect(auditLines(decided(verdict)).map((line) => line['event_type'])).toEqual(events);
  });

  it.each<[Partial<AuditLogConfig>, Partial<AgentVerdict>]>([
    [{ logBlocked: false }, { refusal: refusalOf('block') as never }],
    [{ logAgentDecisions: false }, { refusal: refusalOf('redirect') as never }],
    [{ logWafEvents: false }, { audit: { ...noAudit, ruleIds: ['1'] } }],
    [{ enabled: false }, { refusal: refusalOf('block') as never }],
  ])('is silent about what %j switches off', (config, verdict) => {
    expect(auditLines(decided(verdict), config)).toEqual([]);
  });

  it('tells limits, circuits and reloads', () => {
    const lines = auditLines((log) => {
      log.requestEnded(endedExchange(starter, (exchange) => (exchange.blocked = 'header_size_exceeded')));
      log.requestEnded(endedExchange(starter, (exchange) => (exchange.blocked = 'agent_blocked')));
      log.rateLimited(endedExchange(starter), 'per-client', 'reject');
      log.breakerChanged('api-backend', 'open');
      log.agentBreakerChanged('auth', 'half_open');
      log.certificatesReloaded({ listenerId: 'https', result: 'success' });
      log.certificatesReloaded({ listenerId: 'https', result: 'failure', error: 'no such file' });
      log.reloaded({ result: 'failure', restartNeeded: [], error: 'no such upstream' });
    });
    expect(lines.map((line) => [line['event_type'], line['reason']])).toEqual([
      ['blocked', 'header_size_exceeded'],
      ['rate_limit_exceeded', 'rate limit per-client'],
      ['circuit_breaker_change', 'the circuit of upstream api-backend is open'],
      ['circuit_breaker_change', 'the circuit of agent auth is half_open'],
      ['cert_reload', 'listener https shows other certificates'],
      ['cert_reload', 'the certificates of listener https were not reloaded: no such file'],
      ['config_change', 'a new configuration was refused: no such upstream'],
    ]);
  });
});

describe('the application log', () => {
  const settings = { level: 'info', format: 'json', timestamps: true } as const;
  const linesOf = (
    change: Partial<Parameters<typeof createApplicationLog>[0] extends () => infer S ? S : never>,
    text = 'Said.',
  ) => {
    const lines: string[] = [];
    const log = createApplicationLog(
      () => ({ ...settings, ...change }),
      (line) => void lines.push(line),
    );
    log.debug('Unsaid.');
    log.child({ agent: 'auth' }).warn(text, { reason: 'why not' });
    return lines;
  };

  it('is one object a line, with the names everybody expects', () => {
    expect(linesOf({}).map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        timestamp: expect.stringMatching(/Z$/) as string,
        level: 'warn',
        target: 'gateway',
        message: 'Said.',
        agent: 'auth',
        reason: 'why not',
      },
    ]);
  });

  it('is text for people on request, and without times', () => {
    expect(linesOf({ format: 'pretty', timestamps: false })).toEqual([
      ' WARN gateway: Said. agent=auth reason="why not"\n',
    ]);
  });

  it('says more at the level trace', () => {
    expect(linesOf({ level: 'trace' })).toHaveLength(2);
  });

  it.each(['json', 'pretty'] as const)('keeps to one line in %s, whatever is said', (format) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (hostile) => {
        const [line] = linesOf({ format }, hostile);
        expect(line!.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
  });
});
