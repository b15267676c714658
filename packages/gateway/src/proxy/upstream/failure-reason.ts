import { errorMessage } from '@clew/base';
import { errors } from 'undici';
import { ProxyError } from '../errors.ts';
import type { AttemptFailureReason } from '../exchange.ts';
import type { FailureType, GatewayFailure } from '../failure.ts';

/** What undici's and the system's errors amount to. */
const reasons: Readonly<Record<string, AttemptFailureReason>> = {
  UND_ERR_HEADERS_TIMEOUT: 'read_timeout',
  UND_ERR_BODY_TIMEOUT: 'read_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connection_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'invalid_response',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection_closed',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'invalid_response',
  UND_ERR_SOCKET: 'connection_closed',
  UND_ERR_ABORTED: 'aborted',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_closed',
  EPIPE: 'connection_closed',
  ETIMEDOUT: 'read_timeout',
};

/** Anything an attempt failed with, as an error that says why; `headSeen` when a response had begun. */
export function attemptError(caught: unknown, target: string, headSeen: boolean): ProxyError {
  if (caught instanceof ProxyError) return caught;
  const code = caught instanceof Error && 'code' in caught ? String(caught.code) : '';
  const text = errorMessage(caught);
  let reason: AttemptFailureReason =
    reasons[code] ?? (caught instanceof errors.HTTPParserError ? 'invalid_response' : 'connection_closed');
  // Before a head, nothing can be missing of a body: the head itself contradicts itself.
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' && !headSeen) reason = 'invalid_response';
  // The socket's error for an answer that is none, such as bytes nobody asked for.
  if (code === 'UND_ERR_SOCKET' && text.startsWith('bad ')) reason = 'invalid_response';
  return new ProxyError(reason, `the exchange with ${target} failed: ${text}`, { cause: caught });
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
