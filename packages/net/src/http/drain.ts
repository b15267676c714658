import type { Writable } from 'node:stream';
import { NetError } from '../errors.ts';

/** Waits until a reader has taken what was written. Fails with `timed_out` or `aborted`. */
export function waitForDrain(stream: Writable, idleTimeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new NetError('timed_out', `the client read nothing of the reply for ${idleTimeoutMs} ms`));
    }, idleTimeoutMs);
    function stop(): void {
      clearTimeout(timer);
      stream.off('drain', onDrain).off('close', onClose);
    }
    function onDrain(): void {
      stop();
      resolve();
    }
    function onClose(): void {
      stop();
      reject(new NetError('aborted', 'the client went away while the reply was being written'));
    }
    stream.on('drain', onDrain).on('close', onClose);
    if (stream.destroyed) onClose();
  });
}
