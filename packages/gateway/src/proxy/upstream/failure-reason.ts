import { errorMessage } from '@clew/base';
import type { AttemptFailureReason } from '../exchange.ts';
import type { FailureType, GatewayFailure } from '../failure.ts';
import { GatewayError } from '../../errors.ts';

/** What the system's errors amount to; all others mean that the connection was lost. */
const reasons: Readonly<Record<string, AttemptFailureReason>> = {
  ECONNREFUSED: 'connection_refused',
  ETIMEDOUT: 'read_timeout',
};

/** Anything an attempt failed with, as an error that says why. */
export function attemptError(caught: unknown, target: string): GatewayError {
  if (caught instanceof GatewayError) return caught;
  const code = caught instanceof Error && 'code' in caught ? String(caught.code) : '';
  const text = `the exchange with ${target} failed: ${errorMessage(caught)}`;
  return new GatewayError(reasons[code] ?? 'connection_closed', text, { cause: caught });
}

const statuses: Readonly<Record<AttemptFailureReason, readonly [status: number, type: FailureType]>> = {
  connection_refused: [503, 'Upstream'],
  connection_timeout: [504, 'Timeout'],
  read_timeout: [504, 'Timeout'],
  write_timeout: [504, 'Timeout'],
  attempt_timeout: [504, 'Timeout'],
  dns_error: [502, 'Upstream'],
  tls_error: [502, 'Tls'],
  connection_closed: [502, 'Upstream'],
  invalid_response: [502, 'Upstream'],
  pool_exhausted: [503, 'ServiceUnavailable'],
  aborted: [502, 'Upstream'],
};

/** What the client is told when an attempt's failure is the last word. */
export function failureOfAttempt(reason: AttemptFailureReason, message: string): GatewayFailure {
  const [status, type] = statuses[reason];
  return { status, type, reason: `upstream_${reason}`, message };
}
