// Hot path: what goes upstream. Guarded by bench/gateway.
import type { Dispatcher } from 'undici';
import type { HeaderOperation } from '../../agents/index.ts';
import { applyHeaderOperations } from '../../agents/index.ts';
import type { BodyDeclaration } from '../downstream/head-check.ts';
import type { Downstream } from '../downstream/downstream.ts';
import type { Attempt, Exchange } from '../exchange.ts';
import { rewriteTarget } from '../filters/rewrite.ts';
import { removeField } from '../headers/fields.ts';
import { forwardRequestHeaders } from '../headers/forward-request.ts';
import { appendTraceHeaders } from '../headers/trace-headers.ts';
import type { Generation } from './gateway-context.ts';
import type { RequestBody } from './request-body.ts';
import type { RoutePlan } from './route-plan.ts';

/** A request as every attempt sends it, apart from its trace headers and body. */
export interface UpstreamMessage {
  /** Path and query. */
  readonly path: string;
  readonly headers: readonly string[];
}

/** The request a message is made from. */
export interface MessageSource {
  readonly exchange: Exchange;
  readonly downstream: Downstream;
  readonly generation: Generation;
  readonly body: RequestBody | undefined;
  readonly declared: BodyDeclaration;
  readonly requestOperations: readonly HeaderOperation[];
}

/** Makes the message: what was received, without what is not to go on, edited by policies, filters and agents in this order. */
export function upstreamMessage(source: MessageSource, plan: RoutePlan): UpstreamMessage {
  const { exchange, declared, generation, requestOperations, downstream } = source;
  const target = plan.rewrite === undefined ? undefined : rewriteTarget(plan.rewrite, exchange);
  const path = target?.path ?? exchange.path;
  let headers = forwardRequestHeaders(exchange, {
    traced: generation.traceStarter !== undefined,
    keepLength: declared.contentLength >= 0 && !downstream.wantsUpgrade,
    ...(target?.host === undefined ? {} : { host: target.host }),
  });
  if (plan.editRequest !== undefined) headers = plan.editRequest(headers);
  if (requestOperations.length > 0) headers = applyHeaderOperations(headers, requestOperations);
  if (generation.traceStarter !== undefined && plan.editRequest !== undefined) {
    // Whatever edits say: the backend continues the trace that is exported. Agents cannot say anything about it.
    removeField(headers, 'traceparent');
    removeField(headers, 'tracestate');
  }
  return { path: exchange.query === '' ? path : `${path}?${exchange.query}`, headers };
}

/** What undici needs for an attempt. */
export function dispatchOptionsOf(
  { exchange, body, downstream }: MessageSource,
  { path, headers }: UpstreamMessage,
  attempt: Attempt,
  readTimeoutMs: number,
): Dispatcher.DispatchOptions & { readonly servername: string } {
  const own = [...headers];
  if (attempt.spanId !== '') appendTraceHeaders(own, exchange.trace, attempt.spanId);
  return {
    path,
    method: exchange.method as Dispatcher.HttpMethod,
    headers: own,
    body: body?.open() ?? null,
    upgrade: downstream.wantsUpgrade ? 'websocket' : null,
    headersTimeout: readTimeoutMs,
    bodyTimeout: readTimeoutMs,
    reset: false,
    // Undici would open another connection for every Host; which name TLS asks for is settled where connections are made.
    servername: 'upstream',
    // A connection belongs to one request at a time anyway.
    blocking: false,
    idempotent: true,
  };
}
