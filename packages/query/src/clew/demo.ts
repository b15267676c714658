import { readTraceId } from '@clew/api';
import type { DeleteAnswer, DemoRequest } from '@clew/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClewDeps } from './deps.ts';
import { sendAnswer, sendError, sendNoTraceId, sendProblems } from './reply.ts';
import { noDemo } from './status.ts';

/** Traces one call may ask for. */
const maxDemoTraces = 10_000;

/** `POST /demo`. */
export async function startDemo(deps: ClewDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { demo } = deps.program;
  if (demo === undefined)
    return sendError(reply, 'not_found', 'This Clew has no demo generator.', {
      hint: 'The all-in-one has one; elsewhere, `clew demo` sends demo traces.',
    });
  const wanted = readRequest(request.body);
  if (typeof wanted === 'string') return sendProblems(reply, [{ parameter: 'body', message: wanted }]);
  return sendAnswer(reply, await demo.start(wanted));
}

function readRequest(body: unknown): DemoRequest | string {
  const { mode, traces } = (body ?? {}) as { mode?: unknown; traces?: unknown };
  if (mode !== 'steady' && mode !== 'burst') return `mode is ${JSON.stringify(mode)}; it must be "steady" or "burst".`;
  if (traces === undefined) return { mode };
  if (typeof traces !== 'number' || !Number.isInteger(traces) || traces < 1 || traces > maxDemoTraces) {
    return `traces is ${JSON.stringify(traces)}; it must be a whole number from 1 to ${maxDemoTraces}.`;
  }
  return { mode, traces };
}

/** `GET /demo`. */
export function demoState(deps: ClewDeps, reply: FastifyReply): FastifyReply {
  return sendAnswer(reply, deps.program.demo?.state() ?? noDemo);
}

/** `DELETE /demo`: ends the generator and removes what it sent. */
export async function removeDemo(deps: ClewDeps, reply: FastifyReply, signal: AbortSignal): Promise<FastifyReply> {
  deps.program.demo?.stop();
  const deletedTraces = await deps.storage.deleteDemo(deps.tenant, signal);
  return sendAnswer(reply, { deletedTraces, pending: false } satisfies DeleteAnswer);
}

/** `DELETE /traces/:traceId`. */
export async function removeTrace(
  deps: ClewDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const { traceId } = request.params as { traceId: string };
  const id = readTraceId(traceId);
  if (id === undefined) return sendNoTraceId(reply, traceId);
  const deletedTraces = await deps.storage.deleteTraces(deps.tenant, [id], signal);
  return sendAnswer(reply, { deletedTraces, pending: false } satisfies DeleteAnswer);
}
