import { NetError } from '../errors.ts';
import type { HttpReply, RejectReason, ReplyHeaders } from '../exchange.ts';
import type { HttpRoute } from '../listener/mounts.ts';
import type { WireRequest } from './wire-request.ts';
import { httpStatusOf, retryAfterSecondsOf } from '../status/http-mapping.ts';

/** What a listener gives to every HTTP request. */
export interface AnswerContext {
  readonly reject: (reason: RejectReason, detail: string, route: HttpRoute) => void;
  /** Told of a handler that threw something unforeseen: a bug worth a log line. */
  readonly onFailure: (path: string, caught: unknown) => void;
}

/** Runs a mount's steps in order (CORS, credentials, admission, handler); never rejects. */
export async function answer(route: HttpRoute, request: WireRequest, context: AnswerContext): Promise<HttpReply> {
  const { cors, responseHeaders } = route;
  let reply: HttpReply;
  if (cors?.isPreflight(request)) reply = { status: 204, headers: cors.preflightHeaders(request) };
  else {
    try {
      const handled = guarded(route, request, context);
      reply = handled instanceof Promise ? await handled : handled;
    } catch (caught) {
      if (!(caught instanceof NetError)) context.onFailure(request.path, caught);
      reply = replyOfError(caught);
    }
    if (cors) reply = withHeaders(cors.replyHeaders(request), reply);
  }
  return responseHeaders ? withHeaders(responseHeaders, reply) : reply;
}

function guarded(route: HttpRoute, request: WireRequest, context: AnswerContext): HttpReply | Promise<HttpReply> {
  const { mount } = route;
  if (mount.authenticate) return authenticated(route, request, context);
  return admitted(route, request, context);
}

async function authenticated(route: HttpRoute, request: WireRequest, context: AnswerContext): Promise<HttpReply> {
  const outcome = await route.mount.authenticate?.(request);
  if (!outcome || outcome.ok) {
    request.authAttributes = outcome?.attributes;
    return admitted(route, request, context);
  }
  context.reject('unauthenticated', outcome.text, route);
  return textReply(outcome.status, outcome.text, outcome.headers);
}

function admitted(route: HttpRoute, request: WireRequest, context: AnswerContext): HttpReply | Promise<HttpReply> {
  const refusal = route.mount.admit?.(request);
  if (!refusal) return route.mount.handler(request);
  context.reject('not_admitted', `answered ${refusal.status}`, route);
  return refusal;
}

/** A plain-text reply. */
export function textReply(status: number, text: string, headers: ReplyHeaders = {}): HttpReply {
  const contentType = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  return { status, headers: { ...contentType, ...headers }, body: text };
}

/** The reply for an error nobody turned into a better one: its HTTP status and message as plain text. */
export function replyOfError(caught: unknown): HttpReply {
  if (!(caught instanceof NetError)) return textReply(500, 'internal server error');
  const retryAfter = caught.status ? retryAfterSecondsOf(caught.status) : undefined;
  const status = httpStatusOfError(caught);
  const mayRetry = (status === 503 || status === 429) && retryAfter !== undefined;
  return textReply(status, caught.message, mayRetry ? { 'retry-after': String(retryAfter) } : {});
}

/** The HTTP status of an error of this package. */
export function httpStatusOfError(error: NetError): number {
  switch (error.code) {
    case 'body_too_large':
    case 'inflated_too_large':
      return 413;
    case 'slow_body':
      return 408;
    case 'budget_exhausted':
      return 503;
    case 'unsupported_encoding':
    case 'malformed_encoding':
    case 'aborted':
      return 400;
    default:
      return error.status ? httpStatusOf(error.status.code) : 500;
  }
}

/** Adds headers to a reply; the reply's own win, except that `vary` lists are joined. */
function withHeaders(added: ReplyHeaders, reply: HttpReply): HttpReply {
  const own = reply.headers ?? {};
  const merged: Record<string, string | number | readonly string[]> = { ...added, ...own };
  if (added['vary'] !== undefined && own['vary'] !== undefined) {
    merged['vary'] = `${String(added['vary'])}, ${String(own['vary'])}`;
  }
  return { ...reply, headers: merged };
}
