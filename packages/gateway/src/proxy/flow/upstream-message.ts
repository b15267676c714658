// Hot path: what goes upstream. Guarded by bench/gateway.
import type { HeaderOperation } from '../../agents/index.ts';
import { applyHeaderOperations } from '../../agents/index.ts';
import type { BodyDeclaration } from '../downstream/head-check.ts';
import type { Downstream } from '../downstream/downstream.ts';
import type { Attempt, Exchange } from '../exchange.ts';
import { rewriteTarget } from '../filters/rewrite.ts';
import { removeField } from '../headers/fields.ts';
import { forwardRequestHeaders, forwardRequestLines } from '../headers/forward-request.ts';
import type { ForwardRequestOptions } from '../headers/forward-request.ts';
import { traceLines } from '../headers/trace-headers.ts';
import { checkFields, checkTarget } from '../http1/check-head.ts';
import { fieldLines } from '../http1/message-writer.ts';
import type { WireRequest } from '../upstream/upstream-connection.ts';
import type { Generation } from './gateway-context.ts';
import type { RequestBody } from './request-body.ts';
import type { RoutePlan } from './route-plan.ts';

/** A request as every attempt sends it, apart from its trace headers. */
export interface UpstreamMessage {
  /** Request line and fields, without those that differ between attempts. */
  readonly head: string;
  /** The path of the request line, where it is not the client's; else ''. */
  readonly rewrittenPath: string;
  readonly chunked: boolean;
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

/**
 * Makes the message: what was received, without what is not to go on, edited by policies, filters and agents in this order.
 * Fails with `invalid_field` when that leads to something that cannot be written.
 */
export function upstreamMessage(source: MessageSource, plan: RoutePlan): UpstreamMessage {
  const { exchange, declared, generation, downstream, body } = source;
  const target = plan.rewrite === undefined ? undefined : rewriteTarget(plan.rewrite, exchange);
  const traced = generation.traceStarter !== undefined;
  const options = {
    traced,
    keepLength: declared.contentLength >= 0 && !downstream.wantsUpgrade,
    host: target?.host,
  };
  const path = target?.path ?? exchange.path;
  // As it came, where nothing changes it: a question mark without a query stays one.
  const whole = target === undefined && exchange.target.startsWith('/') ? exchange.target : withQuery(path, exchange);
  if (target !== undefined) checkTarget(whole);
  if (target?.host !== undefined) checkFields(['Host', target.host]);
  const framing = framingLines(source);
  const lines = unedited(source, plan) ? forwardRequestLines(exchange, downstream.received!, options) : undefined;
  return {
    head: `${exchange.method} ${whole} HTTP/1.1\r\n${lines ?? fieldLines(editedFields(source, plan, options))}${framing}`,
    rewrittenPath: path === exchange.path ? '' : (path.split('?', 1)[0] ?? ''),
    chunked: body !== undefined && framing === chunkedLine,
  };
}

function withQuery(path: string, { query }: Exchange): string {
  return query === '' ? path : `${path}?${query}`;
}

/** Whether the fields go on as they came, apart from what a proxy does. */
function unedited({ downstream, requestOperations }: MessageSource, plan: RoutePlan): boolean {
  return downstream.received !== undefined && plan.editRequest === undefined && requestOperations.length === 0;
}

function editedFields(source: MessageSource, plan: RoutePlan, options: ForwardRequestOptions): string[] {
  const { exchange, requestOperations } = source;
  let headers = forwardRequestHeaders(exchange, options);
  if (plan.editRequest !== undefined) headers = plan.editRequest(headers);
  if (requestOperations.length > 0) headers = applyHeaderOperations(headers, requestOperations);
  if (plan.editRequest !== undefined || requestOperations.length > 0 || exchange.httpVersion === '2.0') {
    checkFields(headers);
    // Whatever edits say: the backend continues the trace that is exported.
    if (options.traced) {
      removeField(headers, 'traceparent');
      removeField(headers, 'tracestate');
    }
  }
  return headers;
}

const chunkedLine = 'Transfer-Encoding: chunked\r\n';

/** Methods whose requests are expected to have a body: without any, they say so (RFC 9110 section 8.6). */
const expectBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function framingLines({ exchange, downstream, body, declared }: MessageSource): string {
  if (downstream.wantsUpgrade) return 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  if (body === undefined) {
    return declared.contentLength < 0 && expectBody.has(exchange.method) ? 'Content-Length: 0\r\n' : '';
  }
  if (declared.contentLength >= 0) return '';
  const { wholeBytes } = body;
  return wholeBytes === undefined ? chunkedLine : `Content-Length: ${wholeBytes}\r\n`;
}

/** The request of one attempt. */
export function wireRequest(
  { exchange, body, downstream }: MessageSource,
  { head, chunked }: UpstreamMessage,
  attempt: Attempt,
): WireRequest {
  const trace = attempt.spanId === '' ? '' : traceLines(exchange.trace, attempt.spanId);
  return {
    method: exchange.method,
    head: `${head}${trace}\r\n`,
    body,
    chunked,
    upgrade: downstream.wantsUpgrade,
  };
}
