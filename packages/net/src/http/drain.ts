import type { Writable } from 'node:stream';
import { NetError } from '../errors.ts';

/** What happens to clients that do not read their replies. */
export interface SlowReader {
  readonly idleTimeoutMs: number;
  /** Told before such a client is cut off. */
  readonly onSlow: () => void;
}

/** Waits until a reader has taken what was written. Fails with `timed_out` or `aborted`. */
export function waitForDrain(stream: Writable, { idleTimeoutMs, onSlow }: SlowReader): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      onSlow();
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

/** A reply up to this size may wait for its reader without being watched. */
const unwatchedBytes = 64 * 1024;

/**
 * Watches a reply that has been handed over whole: when its reader takes nothing of it for a while, `giveUp` is called.
 * Small replies are not worth a timer: what they hold is bounded by the number of connections.
 */
export function watchReader(reply: Writable, idleTimeoutMs: number, giveUp: () => void): void {
  let waitingBytes = reply.writableLength;
  if (waitingBytes <= unwatchedBytes || idleTimeoutMs <= 0 || reply.writableFinished) return;
  let timer = setTimeout(check, idleTimeoutMs);
  reply.once('close', () => clearTimeout(timer));
  reply.once('finish', () => clearTimeout(timer));

  function check(): void {
    if (reply.writableLength === waitingBytes) return giveUp();
    waitingBytes = reply.writableLength;
    timer = setTimeout(check, idleTimeoutMs);
  }
}
