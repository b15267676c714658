import type { Writable } from 'node:stream';

/** Resolves when a stream takes data again, or has ended for good. */
export function untilDrained(stream: Pick<Writable, 'destroyed' | 'once' | 'off'>): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      stream.off('drain', finish);
      stream.off('finish', finish);
      stream.off('close', finish);
      resolve();
    };
    stream.once('drain', finish);
    // A stream that was ended meanwhile says this instead.
    stream.once('finish', finish);
    stream.once('close', finish);
  });
}
