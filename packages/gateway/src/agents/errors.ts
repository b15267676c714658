import { CodedError } from '@clew/base';

/**
 * Codes of errors about agents; retired codes are never used again.
 *
 * - `timeout`: a call was not answered in time, whatever it was waiting for.
 * - `connect`: nobody listens, or the connection did not come about in time.
 * - `refused`: the agent declined the handshake or its configuration.
 * - `protocol`: what came is not what the agent's dialect allows.
 * - `connection_lost`: the connection ended while a call was running.
 * - `state_lost`: the connection that knew the request is gone, so the agent cannot be asked about it any more.
 * - `answer_too_large`, `body_too_large`, `queue_full`: a limit, named in the message.
 * - `circuit_open`: calls are suspended after too many failures in a row.
 * - `paused`: the agent asked for silence and did not end it in time.
 * - `aborted`: the caller gave up, which is nobody's failure.
 * - `closed`: the client is shut.
 */
export type AgentErrorCode =
  | 'timeout'
  | 'connect'
  | 'refused'
  | 'protocol'
  | 'connection_lost'
  | 'state_lost'
  | 'answer_too_large'
  | 'body_too_large'
  | 'queue_full'
  | 'circuit_open'
  | 'paused'
  | 'aborted'
  | 'closed';

/** Raised when an agent cannot be asked or its answer cannot be used. */
export class AgentError extends CodedError<AgentErrorCode> {}

/** What went wrong, as spans (`error.type`) and metrics (`error`) say it. */
export type AgentErrorType = 'timeout' | 'connect' | 'protocol' | 'circuit_open' | 'queue_full' | 'body_too_large';

const types: Readonly<Record<AgentErrorCode, AgentErrorType>> = {
  timeout: 'timeout',
  connect: 'connect',
  refused: 'connect',
  connection_lost: 'connect',
  state_lost: 'connect',
  closed: 'connect',
  aborted: 'connect',
  protocol: 'protocol',
  answer_too_large: 'protocol',
  paused: 'protocol',
  queue_full: 'queue_full',
  circuit_open: 'circuit_open',
  body_too_large: 'body_too_large',
};

/** The error's kind in few words. */
export function errorTypeOf(error: AgentError): AgentErrorType {
  return types[error.code];
}

/** Failures that say nothing about the agent's health: they leave the circuit breaker as it is. */
const harmless: ReadonlySet<AgentErrorCode> = new Set([
  'aborted',
  'closed',
  'circuit_open',
  'queue_full',
  'body_too_large',
  'state_lost',
]);

/** Whether a failure counts against the agent's circuit breaker. */
export function countsAgainstAgent(error: AgentError): boolean {
  return !harmless.has(error.code);
}

/** Anything caught on the way to an agent; what is not an `AgentError` yet becomes one with `code`. */
export function asAgentError(caught: unknown, code: AgentErrorCode, attempt: string): AgentError {
  if (caught instanceof AgentError) return caught;
  const why = caught instanceof Error ? caught.message || caught.name : String(caught);
  return new AgentError(code, `${attempt}: ${why}`, { cause: caught });
}
