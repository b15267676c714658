// Hot path of large bodies. Guarded by the memory cases of bench/gateway.
//
// Every piece of a body is a buffer of up to 64 KiB that is garbage as soon as it has passed. V8 collects young garbage when
// its own small heap fills up, in which such a buffer counts for a few bytes only: by then a hundred megabytes of them can
// have gathered. So the collection is asked for by the bytes that have passed. It looks at young objects only and takes
// about a millisecond.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that may gather as garbage. */
const allowanceBytes = 16 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

let passedBytes = 0;
let collect: Collect | undefined;

/** Counts a piece of a body that has passed. */
export function countBodyBytes(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < allowanceBytes) return;
  passedBytes = 0;
  collect ??= exposedCollector();
  collect({ type: 'minor' });
}

/** V8's own function, which exists in contexts made while the flag is set. */
function exposedCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof exposed === 'function' ? (exposed as Collect) : () => {};
}
