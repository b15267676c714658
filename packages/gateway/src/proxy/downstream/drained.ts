import type { Writable } from 'node:stream';

/** Resolves when a stream takes data again, or has ended for good. */
export function untilDrained(stream: Pick<Writable, 'destroyed' | 'once' | 'off'>): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      stream.off('drain', finish);
      stream.off('close', finish);
      resolve();
    };
    stream.once('drain', finish);
    stream.once('close', finish);
  });
}
