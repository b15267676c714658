import { GatewayError } from '../errors.ts';
import type { AgentErrorCode } from '../errors.ts';

/** An agent cannot be asked, or its answer cannot be used. */
export type AgentError = GatewayError<AgentErrorCode>;

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
  if (caught instanceof GatewayError) return caught;
  const why = caught instanceof Error ? caught.message || caught.name : String(caught);
  return new GatewayError(code, `${attempt}: ${why}`, { cause: caught });
}
