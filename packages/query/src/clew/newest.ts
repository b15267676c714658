import type { NewestSpan } from '@clew/store';
import type { ClewDeps } from './deps.ts';

/** The newest stored span, or undefined when there is none; a failing store is no reason to fail a status. */
export async function newestSpan(deps: ClewDeps, signal: AbortSignal): Promise<NewestSpan | undefined> {
  try {
    return await deps.reader.newestSpan(deps.tenant, signal);
  } catch {
    return undefined; // The status says separately how the storage is.
  }
}
