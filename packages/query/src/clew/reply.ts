import { apiErrorStatus } from './status-codes.ts';
import type { ApiErrorBody, ApiErrorCode, RequestProblem } from '@clew/api';
import { errorMessage } from '@clew/base';
import { StoreError } from '@clew/store';
import type { StoreErrorCode } from '@clew/store';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Milliseconds after which a store that is busy or starting is worth asking again. */
const retryAfterMs = 1_000;

/** What a failure of the store means to a caller of the API. */
const codeOf: Partial<Record<StoreErrorCode, ApiErrorCode>> = {
  engine_unavailable: 'unavailable',
  overloaded: 'overloaded',
  timeout: 'timeout',
  memory_limit: 'query_limit',
  result_limit: 'query_limit',
  invalid_argument: 'invalid_request',
};

const hints: Partial<Record<ApiErrorCode, string>> = {
  unavailable: 'Spans are still accepted; answers come back as soon as the storage engine has started again.',
  overloaded: 'Try again in a moment.',
  timeout: 'Narrow the time range, or name a service.',
  query_limit: 'Narrow the time range, name a service, or ask for fewer rows.',
};

/** Sends an error in the API's one shape. */
export function sendError(
  reply: FastifyReply,
  code: ApiErrorCode,
  message: string,
  more: Omit<ApiErrorBody, 'code' | 'message'> = {},
): FastifyReply {
  const hint = more.hint ?? hints[code];
  const body: ApiErrorBody = { code, message, ...more, ...(hint === undefined ? {} : { hint }) };
  if (body.retryAfterMs !== undefined) void reply.header('retry-after', String(Math.ceil(body.retryAfterMs / 1000)));
  return reply.code(apiErrorStatus[code]).type('application/json').send(JSON.stringify(body));
}

/** Sends everything wrong with a request. */
export function sendProblems(reply: FastifyReply, problems: readonly RequestProblem[]): FastifyReply {
  return sendError(reply, 'invalid_request', problems.map(({ message }) => message).join(' '), { problems });
}

/** Sends that the path names no trace. */
export function sendNoTraceId(reply: FastifyReply, text: string): FastifyReply {
  const message = `"${text.slice(0, 80)}" is no trace id: write 1 to 32 hexadecimal digits that are not all zero, or a header that holds an id.`;
  return sendProblems(reply, [{ parameter: 'traceId', message }]);
}

/** Sends what a failing store means. */
export function sendFailure(reply: FastifyReply, caught: unknown): FastifyReply {
  const code = (caught instanceof StoreError ? codeOf[caught.code] : undefined) ?? 'internal';
  const passing = code === 'unavailable' || code === 'overloaded';
  return sendError(reply, code, errorMessage(caught), passing ? { retryAfterMs } : {});
}

/** Sends a JSON answer. */
export function sendAnswer(reply: FastifyReply, answer: unknown): FastifyReply {
  return reply.type('application/json').header('cache-control', 'no-store').send(JSON.stringify(answer));
}

/** The query parameters. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
}
