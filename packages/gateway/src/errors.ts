import { CodedError } from '@clew/base';

/**
 * Codes of errors about agents.
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

/** Why an attempt failed, as metrics say it; `invalid_response` and `connection_closed` are of Clew's own. */
export type AttemptErrorCode =
  | 'connection_refused'
  | 'connection_timeout'
  | 'read_timeout'
  | 'write_timeout'
  | 'tls_error'
  | 'dns_error'
  | 'connection_closed'
  | 'invalid_response'
  | 'pool_exhausted'
  | 'attempt_timeout'
  | 'aborted';

/**
 * Codes of errors of the gateway; retired codes are never used again. Besides those about agents and attempts:
 *
 * - `configuration`: no usable configuration; the message is the whole report.
 * - `start_failed`: a listener could not be opened or another part not be started.
 * - `bind_failed`: a listener's address could not be bound.
 * - `tls_config`: a listener's or an upstream's certificates cannot be used.
 * - `body_too_large`, `body_broken`: a request body that must not go on.
 * - `invalid_field`: a field or a target that no message may have.
 * - `invalid_state`: a method was called at a time it makes no sense.
 * - `thread_lost`: a thread of the gateway ended while it was asked for something.
 */
export type GatewayErrorCode =
  | AgentErrorCode
  | AttemptErrorCode
  | 'configuration'
  | 'start_failed'
  | 'bind_failed'
  | 'tls_config'
  | 'body_too_large'
  | 'body_broken'
  | 'invalid_field'
  | 'invalid_state'
  | 'thread_lost';

/** Raised by the gateway. Where only some codes can occur the type says which. */
export class GatewayError<Code extends GatewayErrorCode = GatewayErrorCode> extends CodedError<Code> {}
