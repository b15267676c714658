import { errorMessage } from '@clew/base';
import { StoreError } from '@clew/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JaegerEnvelope, JaegerError } from './model.ts';

/** Seconds after which a store that is busy or starting is worth asking again. */
const retryAfterSeconds = 1;

/** Sends a success in Jaeger's envelope. `total` is the number of services or operations and 0 for everything else. */
export function sendData(
  request: FastifyRequest,
  reply: FastifyReply,
  data: unknown,
  options: { readonly total?: number; readonly errors?: readonly JaegerError[] | null } = {},
): FastifyReply {
  const envelope = { data, total: options.total ?? 0, limit: 0, offset: 0, errors: options.errors ?? null } as const;
  return sendJson(request, reply, envelope satisfies JaegerEnvelope<unknown>);
}

/** Sends JSON as Jaeger does: compact, or indented by four spaces when `prettyPrint` asks for it. */
export function sendJson(request: FastifyRequest, reply: FastifyReply, value: unknown): FastifyReply {
  const pretty = queryOf(request).get('prettyPrint');
  const indent = pretty === null || pretty === '' || pretty === 'false' ? undefined : 4;
  return reply.type('application/json').send(JSON.stringify(value, undefined, indent));
}

/**
 * Sends a failure: the envelope with one error whose code is the status. The media type is text/plain although the body is JSON,
 * because that is what Jaeger answers and strict clients compare.
 */
export function sendFailure(reply: FastifyReply, status: number, message: string): FastifyReply {
  const envelope: JaegerEnvelope<null> = {
    data: null,
    total: 0,
    limit: 0,
    offset: 0,
    errors: [{ code: status, msg: message }],
  };
  return reply
    .code(status)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('x-content-type-options', 'nosniff')
    .send(`${JSON.stringify(envelope)}\n`);
}

/** Sends what a failing store means to the client: 503 with one sentence when it may work later, else 500. */
export function sendStoreFailure(reply: FastifyReply, caught: unknown): FastifyReply {
  const passing = caught instanceof StoreError && passingCodes.has(caught.code);
  if (passing) void reply.header('retry-after', String(retryAfterSeconds));
  return sendFailure(reply, passing ? 503 : 500, errorMessage(caught));
}

/** Failures of the store that say "not now". */
export const passingCodes: ReadonlySet<string> = new Set(['engine_unavailable', 'overloaded']);

/** The query parameters, repeated ones kept. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
}
