import { fail } from '@clew/base';
import type { Result } from '@clew/base';
import type { RequestProblem } from './common.ts';

/** A parser's outcome: the value, or everything that was wrong with the text. */
export type Parsed<T> = Result<T, readonly RequestProblem[]>;

/** A failed parse with one problem. */
export function problem(
  parameter: string,
  message: string,
  more: Pick<RequestProblem, 'range' | 'suggestion'> = {},
): { readonly ok: false; readonly error: readonly RequestProblem[] } {
  return fail([{ parameter, message, ...more }]) as { readonly ok: false; readonly error: readonly RequestProblem[] };
}
