import { randomUUID } from 'node:crypto';
import { errorTypeOf } from '../../agents/index.ts';
import type { AgentCallEnd, AgentCallSpan, Refusal, RequestMetadata, StartAgentCall } from '../../agents/index.ts';
import { AgentCall } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { traceparentOf } from '../headers/trace-headers.ts';
import type { GatewayObserver } from '../observer.ts';
import { normalizeHost } from '../../routing/request.ts';
import type { GatewayContext, Generation } from './gateway-context.ts';
import { GatewayError } from '../../errors.ts';

/** What agents are told about a request as a whole. */
export function agentMetadata(exchange: Exchange): RequestMetadata {
  const { connection } = exchange;
  const { tls } = connection;
  const serverName = tls !== undefined && tls.serverName !== '' ? tls.serverName : normalizeHost(exchange.authority);
  return {
    correlationId: exchange.correlationId,
    requestId: randomUUID(),
    clientIp: connection.clientIp,
    clientPort: connection.clientPort,
    protocol: exchange.httpVersion === '2.0' ? 'HTTP/2' : `HTTP/${exchange.httpVersion}`,
    startUnixMs: exchange.startUnixMs,
    ...(serverName === '' ? {} : { serverName }),
    ...(tls === undefined ? {} : { tlsVersion: tls.version, tlsCipher: tls.cipher }),
    ...(exchange.route === undefined ? {} : { routeId: exchange.route.id }),
    ...(exchange.upstreamId === '' ? {} : { upstreamId: exchange.upstreamId }),
  };
}

/** Makes the span ids of calls, and tells the observer of them. */
export function callStarter(flow: {
  readonly exchange: Exchange;
  readonly context: GatewayContext;
  readonly generation: Generation;
}): StartAgentCall {
  const { exchange, context, generation } = flow;
  return (start): AgentCallSpan => {
    const call = new AgentCall(start, performance.now());
    const { traceStarter } = generation;
    if (traceStarter !== undefined) call.spanId = traceStarter.newSpanId();
    exchange.agentCalls.push(call);
    context.observer.agentCallStarted(exchange, call);
    return {
      ...(call.spanId === '' ? {} : { traceparent: traceparentOf(exchange.trace, call.spanId) }),
      end: (end) => endCall(exchange, context.observer, call, end),
    };
  };
}

/** Calls that still run when their request is over have ended for it, however long the agent takes to notice. */
export function endRunningCalls(exchange: Exchange, observer: GatewayObserver): void {
  for (const call of exchange.agentCalls.slice()) {
    if (call.end !== undefined) continue;
    const error = new GatewayError('aborted', 'the request was over before the agent answered');
    endCall(exchange, observer, call, {
      durationMs: performance.now() - call.startMs,
      errorType: errorTypeOf(error),
      error,
    });
  }
}

function endCall(exchange: Exchange, observer: GatewayObserver, call: AgentCall, end: AgentCallEnd): void {
  if (call.end !== undefined) return;
  call.end = end;
  call.endMs = performance.now();
  observer.agentCallEnded(exchange, call);
  // A WebSocket may have any number of frames: their calls are not kept until it ends.
  if (call.start.event === 'websocket_frame') exchange.agentCalls.splice(exchange.agentCalls.indexOf(call), 1);
}

/** An agent that could not be asked, as the reason why the request went no further. */
export function failureOfAgent({ agentId, response, error }: Refusal): GatewayFailure {
  const message = `agent ${agentId} failed: ${error?.message ?? 'unknown'}`;
  return { status: response.status, type: 'Agent', reason: `agent_${error?.code ?? 'failure'}`, message };
}
