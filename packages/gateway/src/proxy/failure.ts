/** Kinds of failures in the vocabulary of error logs and `error.type` (docs/gateway.md, errors). */
export type FailureType =
  | 'Upstream'
  | 'NoHealthyUpstream'
  | 'Agent'
  | 'RequestValidation'
  | 'LimitExceeded'
  | 'RateLimit'
  | 'Timeout'
  | 'CircuitBreakerOpen'
  | 'Tls'
  | 'ServiceUnavailable'
  | 'NotFound'
  | 'Forbidden'
  | 'Internal';

/** Why the gateway answers itself instead of passing on a response. */
export interface GatewayFailure {
  readonly status: number;
  readonly type: FailureType;
  /** Stable snake_case word, such as `no_route`; part of the error body. */
  readonly reason: string;
  /** For operators: may name addresses. Never sent to clients. */
  readonly message: string;
  /** Whole seconds; sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  /** Whether the client's connection ends with the response. */
  readonly closeConnection?: boolean;
}
