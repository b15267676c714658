import { fail, ok } from '@clew/base';
import type { AgentConfig, AgentEvent, AgentTransport, BodyMode } from '../model/agent.ts';
import type { Named } from '../model/named.ts';
import type { FailureMode } from '../model/route.ts';
import type { ClientTlsConfig } from '../model/upstream.ts';
import { grpcAddress, httpUrl } from '../table/address-type.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { child, list, required, section, setting } from '../table/field.ts';
import { json } from '../table/json-field.ts';
import { invalid } from '../table/reader.ts';
import { bytes, duration, integer, oneOf, refine, word } from '../table/value-type.ts';
import type { ValueType } from '../table/value-type.ts';
import { circuitBreaker, clientTls, clientTlsFields } from './shared.ts';

const unixSocket: Block<AgentTransport> = block(
  {
    path: required('path', word, {
      level: 'must',
      doc: 'where the socket lies',
      example: 'unix-socket path="/run/agent.sock"',
    }),
  },
  { positional: ['path'] },
  ({ path }) => ({ kind: 'unix', path }),
);

const tlsFields = { tls: child('tls', clientTls, { doc: 'spoken to over TLS' }), ...clientTlsFields };

/** A server that is spoken to over TLS when its address says so, or when anything is said about TLS. */
function serverTransport(
  kind: 'grpc' | 'http',
  { address, tls, ...own }: ClientTlsConfig & { readonly address: string; readonly tls?: ClientTlsConfig },
): AgentTransport {
  const secure =
    address.startsWith('https://') || tls !== undefined || Object.keys(own).length > 1 || own.insecureSkipVerify;
  const certificates: ClientTlsConfig = { ...own, ...tls };
  return { kind, address, ...(secure ? { tls: certificates } : {}) };
}

const grpc: Block<AgentTransport> = block(
  {
    address: required('address', grpcAddress, {
      doc: 'host and port, or a URL',
      example: 'grpc "http://localhost:50051"',
    }),
    ...tlsFields,
  },
  { positional: ['address'] },
  (values) => serverTransport('grpc', values),
);

const http: Block<AgentTransport> = block(
  {
    address: required('url', httpUrl, {
      level: 'may',
      doc: 'where events are sent with POST',
      example: 'http "http://localhost:8081/agent"',
    }),
    ...tlsFields,
  },
  { positional: ['url'] },
  (values) => serverTransport('http', values),
);

const eventNames: ValueType<AgentEvent> = oneOf(
  [
    'request_headers',
    'request_body',
    'response_headers',
    'response_body',
    'request_complete',
    'websocket_frame',
    'guardrail',
  ],
  {
    aliases: {
      log: 'request_complete',
      request_body_chunk: 'request_body',
      response_body_chunk: 'response_body',
      guardrail_inspect: 'guardrail',
    },
  },
);

/** `open` and `closed`, as agents, filters and policies spell them. */
export const failureMode: ValueType<FailureMode> = oneOf(['open', 'closed'], {
  aliases: { fail_open: 'open', fail_closed: 'closed' },
});

const bodyMode: ValueType<BodyMode> = refine<string, BodyMode>(
  word,
  '"buffer", "stream" or "hybrid:BYTES"',
  (written) => {
    if (written === 'buffer' || written === 'stream') return ok({ kind: written });
    const hybrid = /^hybrid(?::(\d{1,12}))?$/.exec(written);
    return hybrid === null ? fail(undefined) : ok({ kind: 'hybrid', bufferBytes: Number(hybrid[1] ?? 65536) });
  },
);

const protocolVersion: ValueType<AgentConfig['protocolVersion']> = refine(
  oneOf(['auto', '1', '2'], { aliases: { v1: '1', v2: '2' } }),
  '1, 2 or "auto"',
  (written) => ok(written === 'auto' ? 'auto' : written === '1' ? 1 : 2),
);

const maxBody = (name: 'request' | 'response', aliases: readonly string[]) =>
  setting(`max-${name}-body-bytes`, bytes(), {
    default: 1048576,
    aliases,
    doc: `largest ${name} body the agent is shown`,
  });

/** `agent`. */
export const agent: Block<Omit<AgentConfig, keyof Named>> = block(
  {
    unixSocket: child('unix-socket', unixSocket, { level: 'must', doc: 'reached at a Unix socket' }),
    grpc: child('grpc', grpc, { doc: 'reached over gRPC' }),
    http: child('http', http, { level: 'may', doc: 'reached over HTTP' }),
    events: list('events', eventNames, { default: ['request_headers'], level: 'must', doc: 'what the agent is told' }),
    timeoutMs: setting('timeout-ms', duration('milliseconds', { min: 1 }), {
      default: 1000,
      level: 'must',
      doc: 'for one call, waiting included',
    }),
    failureMode: setting('failure-mode', failureMode, {
      default: 'open',
      doc: 'whether requests go on when the agent fails',
    }),
    circuitBreaker: section('circuit-breaker', circuitBreaker, { doc: 'stops calling an agent that only fails' }),
    maxRequestBodyBytes: maxBody('request', ['max-agent-body-bytes']),
    maxResponseBodyBytes: maxBody('response', []),
    requestBodyMode: setting('request-body-mode', bodyMode, { default: 'buffer', doc: 'how request bodies are shown' }),
    responseBodyMode: setting('response-body-mode', bodyMode, {
      default: 'buffer',
      doc: 'how response bodies are shown',
    }),
    chunkTimeoutMs: setting('chunk-timeout-ms', duration('milliseconds', { min: 1 }), {
      default: 5000,
      level: 'may',
      doc: 'for one chunk of a streamed body',
    }),
    maxConcurrentCalls: setting('max-concurrent-calls', integer({ min: 1 }), {
      default: 100,
      doc: 'calls at once, for each thread',
    }),
    config: json('config', { doc: 'handed to the agent when a connection begins' }),
    type: setting('type', word, { default: 'custom', level: 'may', doc: 'what it is, for people' }),
    protocolVersion: setting('protocol-version', protocolVersion, {
      default: 'auto',
      doc: 'which dialect is spoken on a Unix socket; auto finds out',
    }),
    connections: setting('connections', integer({ min: 1, max: 256 }), {
      default: 4,
      level: 'may',
      doc: 'connections that each thread keeps to the agent',
    }),
  },
  {},
  ({ unixSocket: socket, grpc: service, http: server, events, ...rest }, node, reader) => {
    const transports = [socket, service, server].filter((transport) => transport !== undefined);
    const [transport] = transports;
    if (transport === undefined) {
      const help = 'add one of: unix-socket path="/run/agent.sock", grpc "http://localhost:50051"';
      return reader.error('missing', 'there is no transport: unix-socket, grpc or http', node.position, help);
    }
    if (transports.length > 1) {
      const names = [socket && 'unix-socket', service && 'grpc', server && 'http'].filter((name) => name !== undefined);
      reader.error(
        'conflict',
        `there are ${transports.length} transports, ${names.join(' and ')}; keep one`,
        node.position,
      );
      return invalid;
    }
    if (events.includes('guardrail')) {
      reader.warn(
        'unsupported',
        'events "guardrail" is recognised, not supported by this build; it is never sent',
        node.position,
      );
    }
    return { transport, events: [...new Set(events)], ...rest };
  },
);
