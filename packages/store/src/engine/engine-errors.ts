import { errorMessage } from '@clew/base';
import { StoreError } from '../errors.ts';
import type { StoreErrorCode } from '../errors.ts';
import type { StatementLimits } from './limits.ts';
import { limitSettings } from './limits.ts';
import { engineCodes } from './protocol.ts';

/** What the caller was doing, for messages. */
export interface StatementContext {
  readonly comment: string;
  readonly limits: StatementLimits;
}

/** Turns what the engine answered into an error that says which limit was reached and where it is set. */
export function engineError(text: string, codeHeader: string | undefined, context: StatementContext): StoreError {
  const message = text.trim();
  const engineCode = Number(codeHeader ?? /Code: (\d+)\./.exec(message)?.[1] ?? 0);
  const code = storeCode(engineCode, message);
  return new StoreError(code, `${headline(code, context)} The engine said: ${message}`, {
    details: { engineCode, statement: context.comment },
  });
}

function storeCode(engineCode: number, message: string): StoreErrorCode {
  switch (engineCode) {
    case engineCodes.timeoutExceeded:
      return 'timeout';
    case engineCodes.memoryLimitExceeded:
      return 'memory_limit';
    case engineCodes.tooManyRowsOrBytes:
      return 'result_limit';
    case engineCodes.tooManySimultaneousQueries:
      return 'overloaded';
    case engineCodes.queryWasCancelled:
      return 'cancelled';
    case engineCodes.notEnoughSpace:
      return 'disk_full';
    default:
      return /No space left on device/.test(message) ? 'disk_full' : 'sql_error';
  }
}

function headline(code: StoreErrorCode, { comment, limits }: StatementContext): string {
  switch (code) {
    case 'timeout':
      return timeoutText(comment, limits.timeoutMs);
    case 'memory_limit':
      return `The statement "${comment}" needed more memory than it may use, ${limits.maxMemoryBytes} bytes for one statement (${limitSettings.memory}), or the engine as a whole ran out (${limitSettings.engineMemory}): ask for less at once, or raise the limit.`;
    case 'result_limit':
      return `The statement "${comment}" has more than ${limits.maxResultRows} result rows, the most allowed (${limitSettings.resultRows}): narrow it.`;
    case 'overloaded':
      return `The engine has too much to do for the statement "${comment}": try again later.`;
    case 'cancelled':
      return `The statement "${comment}" was cancelled.`;
    case 'disk_full':
      return `The statement "${comment}" failed because the disk is full: free some space, or lower the retention.`;
    default:
      return `The engine refused the statement "${comment}".`;
  }
}

function timeoutText(comment: string, timeoutMs: number): string {
  return `The statement "${comment}" took longer than ${timeoutMs} ms, the most allowed (${limitSettings.timeout}), and was stopped: narrow it, or raise the limit.`;
}

/** The statement passed its deadline without an answer of the engine. */
export function timeoutError(context: StatementContext): StoreError {
  return new StoreError('timeout', timeoutText(context.comment, context.limits.timeoutMs), {
    details: { statement: context.comment },
  });
}

/** The caller gave up. */
export function cancelledError(context: StatementContext): StoreError {
  return new StoreError('cancelled', `The statement "${context.comment}" was cancelled by its caller.`, {
    details: { statement: context.comment },
  });
}

/** The connection could not be made or broke. Whether a write took effect is unknown then. */
export function unavailableError(context: StatementContext, cause: unknown): StoreError {
  return new StoreError(
    'engine_unavailable',
    `The engine did not answer the statement "${context.comment}": ${errorMessage(cause)}. It is restarted by itself when it is embedded; a server must be reachable at the configured address. Try again.`,
    { cause, details: { statement: context.comment } },
  );
}
