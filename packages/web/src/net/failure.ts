import { CodedError } from '@clew/base';
import type { ApiErrorBody, ApiErrorCode, RequestProblem } from '@clew/api';

/** What the server said, or `unreachable` when it said nothing and `unreadable` when it was not understood. */
export type ApiFailureCode = ApiErrorCode | 'unreachable' | 'unreadable';

/** A request to the API that failed. */
export class ApiFailure extends CodedError<ApiFailureCode> {
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly problems: readonly RequestProblem[];

  constructor(
    code: ApiFailureCode,
    message: string,
    more: { readonly body?: Partial<ApiErrorBody>; readonly cause?: unknown } = {},
  ) {
    super(code, message, more.cause === undefined ? {} : { cause: more.cause });
    this.hint = more.body?.hint;
    this.retryAfterMs = more.body?.retryAfterMs;
    this.problems = more.body?.problems ?? [];
  }

  /** True when trying again later can help without changing the request. */
  get isTransient(): boolean {
    return ['unreachable', 'overloaded', 'unavailable', 'timeout'].includes(this.code);
  }
}
