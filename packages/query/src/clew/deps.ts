import type { ClewStorage, StoreReader } from '@clew/store';
import type { ProgramView } from '../extension/program.ts';

/** What the Clew API answers from. */
export interface ClewDeps {
  readonly reader: StoreReader;
  readonly storage: ClewStorage;
  readonly program: ProgramView;
  readonly tenant: string;
  readonly limits: ClewLimits;
  /** Whether the tables can be asked, and if not why. */
  readonly readiness: () => { readonly ready: boolean; readonly reason?: string };
}

/** Limits of the API, from the extension's settings. */
export interface ClewLimits {
  readonly maxTraceSpans: number;
  readonly maxDetailSpans: number;
}
