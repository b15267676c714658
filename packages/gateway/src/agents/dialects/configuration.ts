import type { AgentAnswer } from '../answer.ts';
import { connectTimeoutMs } from '../settings.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** Fails with `refused` when the answer to a configuration is anything but consent. */
export function requireConsent({ decision }: AgentAnswer): void {
  if (decision.kind === 'allow') return;
  const why = decision.kind === 'block' ? (decision.body ?? 'it gave no reason') : decision.kind;
  throw new GatewayError('refused', `the agent declined its configuration: ${why}`);
}

/** The error for a configuration that is not answered. */
export function configurationUnanswered(): AgentError {
  return new GatewayError('connect', `the agent did not answer its configuration within ${connectTimeoutMs} ms`);
}
