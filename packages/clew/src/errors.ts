import { CodedError } from '@clew/base';

/**
 * Codes of errors the command line raises itself.
 *
 * - `usage`: the words of the call are wrong; exit code 2.
 * - `not_found`: what was asked for does not exist; exit code 1.
 * - `unreachable`: no Clew answers at the address; exit code 1.
 * - `start_failed`: a part did not start; exit code 1.
 * - `bad_input`: a file could not be read as what it claims to be; exit code 1.
 * - `worker_lost`: a thread of the program ended while it was asked for something; exit code 1.
 */
export type ClewErrorCode = 'usage' | 'not_found' | 'unreachable' | 'start_failed' | 'bad_input' | 'worker_lost';

/** Raised by `@clew/clew`; `main` prints the message and turns the code into an exit code. */
export class ClewError extends CodedError<ClewErrorCode> {
  /** What the process exits with. */
  get exitCode(): number {
    return this.code === 'usage' ? 2 : 1;
  }
}
