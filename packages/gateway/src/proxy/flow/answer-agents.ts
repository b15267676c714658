import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { AgentExchange, BodyInspection, BodyStep, ChainVerdict } from '../../agents/index.ts';
import type { Exchange } from '../exchange.ts';
import { discardAnswer } from '../local/answer.ts';
import type { LocalAnswer } from '../local/answer.ts';
import { bodyBytesOf, isBodiless } from '../local/send-answer.ts';

/** The request that a route of the gateway's own answers. */
export interface AnswerOwner {
  readonly exchange: Exchange;
  /** Gives the client the answer; does away with it when the client has another one. */
  answer(answer: LocalAnswer): void;
  /** Returns false when the answer must not go on; the client then has another one. */
  takeVerdict(event: string, verdict: ChainVerdict | BodyStep): boolean;
}

/** Whether there are agents that look at responses. */
export function looksAtResponses(agents: AgentExchange): boolean {
  return agents.takes('response_headers') || agents.takes('response_body');
}

/**
 * Shows agents what files and builtin handlers answer, as it is done with responses of upstreams, and gives the client what comes of it.
 * Rejects when the answer cannot be read.
 */
export async function showAnswer(owner: AnswerOwner, agents: AgentExchange, answer: LocalAnswer): Promise<void> {
  try {
    const shown = await shownAnswer(owner, agents, answer);
    if (shown === undefined) discardAnswer(answer);
    else owner.answer(shown);
  } catch (caught) {
    discardAnswer(answer);
    throw caught;
  }
}

/** The answer that is left of one; undefined when an agent refused it. */
async function shownAnswer(
  owner: AnswerOwner,
  agents: AgentExchange,
  answer: LocalAnswer,
): Promise<LocalAnswer | undefined> {
  const { exchange } = owner;
  const { status } = answer;
  const bodiless = isBodiless(exchange.method, status);
  const bytes = bodyBytesOf(answer);
  if (agents.takes('response_headers')) {
    const headers = [...answer.headers, 'X-Correlation-Id', exchange.correlationId];
    if (bytes !== undefined) headers.push('Content-Length', String(bytes));
    const verdict = await agents.run({ kind: 'response_headers', status, headers, hasBody: !bodiless });
    if (!owner.takeVerdict('response_headers', verdict)) return undefined;
  }
  if (bodiless) return answer;
  const plan = agents.openBody('response', bytes);
  if (plan.kind === 'pass') return answer;
  if (plan.kind === 'refuse') {
    owner.takeVerdict('response_body', plan.verdict);
    return undefined;
  }
  const { bodyBytes: _changed, ...rest } = answer;
  const body = Readable.from(inspected(owner, plan.inspection, answer.body), { objectMode: false });
  // A verdict on the first piece may still replace the whole answer: its head waits until there is something to send.
  await once(body, 'readable');
  return { ...rest, body };
}

/** The body as agents let it pass. It ends early when they refuse the rest: the client has been seen to by then. */
async function* inspected(
  owner: AnswerOwner,
  inspection: BodyInspection,
  body: LocalAnswer['body'],
): AsyncGenerator<Uint8Array> {
  const chunks = typeof body === 'string' ? [Buffer.from(body)] : Buffer.isBuffer(body) ? [body] : body;
  for await (const chunk of chunks as AsyncIterable<Buffer> | readonly Buffer[]) {
    const step = await inspection.push(chunk, false);
    if (!owner.takeVerdict('response_body', step) || step.kind === 'refuse') return;
    yield* step.pieces;
  }
  const last = await inspection.push(Buffer.alloc(0), true);
  if (owner.takeVerdict('response_body', last) && last.kind === 'pass') yield* last.pieces;
}
