import type { SpanBatch } from '../batch/span-batch.ts';
import { KeyUse, keyUseOf } from './key-use.ts';

/** What the strings of a batch are used for as keys of span attributes. */
export interface BatchKeys {
  /** A {@link KeyUse} for each entry of the string table. */
  readonly uses: Uint8Array;
  /** Whether some key tells a scope. */
  readonly haveScope: boolean;
}

/** The uses of a batch's keys; `undefined` when all of its attributes are shown on the spans. `asSent`: only carried facts are not. */
export function batchKeysOf(batch: SpanBatch, asSent: boolean): BatchKeys | undefined {
  const { strings, spanAttrs } = batch;
  const uses = new Uint8Array(strings.count);
  const isLookedUp = new Uint8Array(strings.count);
  let haveScope = false;
  let haveAny = false;
  // Keys are few; names and trace states, which share the table, may be many.
  for (let i = 0; i < spanAttrs.count; i++) {
    const key = spanAttrs.keys[i]!;
    if (isLookedUp[key] === 1) continue;
    isLookedUp[key] = 1;
    const meant = keyUseOf(strings.text(key));
    const use = asSent && meant !== KeyUse.CARRIER ? KeyUse.SPAN : meant;
    uses[key] = use;
    if (use === KeyUse.SCOPE_NAME || use === KeyUse.SCOPE_VERSION) haveScope = true;
    if (use !== KeyUse.SPAN) haveAny = true;
  }
  return haveAny ? { uses, haveScope } : undefined;
}
