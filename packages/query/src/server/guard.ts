import type { FastifyReply, FastifyRequest } from 'fastify';

/** Answers a request; `signal` aborts when the client goes away, so that its query is cancelled. */
export type Answer = (
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
) => Promise<FastifyReply> | FastifyReply;

/** Runs an answer and turns what it throws into a reply. */
export async function guarded(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  onFailure: (reply: FastifyReply, caught: unknown) => FastifyReply,
): Promise<FastifyReply> {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!reply.raw.writableFinished) gone.abort();
  };
  reply.raw.once('close', onClose);
  try {
    return await answer(request, reply, gone.signal);
  } catch (caught) {
    return onFailure(reply, caught);
  } finally {
    reply.raw.off('close', onClose);
  }
}
