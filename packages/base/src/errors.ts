/**
 * The shape every package's error class takes: one class, a closed set of codes, and a message that says
 * what was attempted, what was seen, which rule broke and what to do next.
 *
 * A package declares `class WireError extends CodedError<WireErrorCode>` and nothing else; codes are
 * never reused once retired.
 */
export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;
  /** Facts worth logging or sending beside the message, such as a byte offset. Never secrets. */
  readonly details: Readonly<Record<string, string | number | bigint | boolean>>;

  constructor(code: Code, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** What may accompany an error's code and message. */
export interface CodedErrorOptions {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, string | number | bigint | boolean>>;
}

/** Codes of errors raised by `@clew/base` itself. */
export type BaseErrorCode =
  'invalid_duration' | 'invalid_size' | 'invalid_pattern' | 'invalid_state' | 'limit_exceeded';

/** Raised by `@clew/base`. */
export class BaseError extends CodedError<BaseErrorCode> {}

/** The text of anything caught: the message of an error, else its string form. */
export function errorMessage(caught: unknown): string {
  return caught instanceof Error ? caught.message : String(caught);
}
