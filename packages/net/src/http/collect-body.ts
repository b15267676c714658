// Hot path: reads the body of every request (guarded by bench/net). Pieces are kept as they come and joined once at
// the end: a body of one piece is never copied, and nothing is allocated on the word of a Content-Length.
import type { Readable } from 'node:stream';
import type { ByteBudget } from '../byte-budget.ts';
import { NetError } from '../errors.ts';
import type { ReadBodyOptions } from '../exchange.ts';
import { defaultBodyIdleTimeoutMs } from '../limits.ts';

/** What holds for one body. */
export interface CollectOptions extends ReadBodyOptions {
  readonly contentLength: number | undefined;
  readonly budget: ByteBudget;
  /** Told how many bytes were taken from the budget; the caller gives them back when it has let go of the body. */
  readonly onTaken: (bytes: number) => void;
}

/** Reads a stream to its end into one piece of memory. */
export function collectBody(source: Readable, options: CollectOptions): Promise<Uint8Array> {
  const { maxBytes, contentLength } = options;
  if (contentLength !== undefined && contentLength > maxBytes) {
    return Promise.reject(tooLarge(contentLength, options));
  }
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const idleMs = options.idleTimeoutMs ?? defaultBodyIdleTimeoutMs;
    const idle = idleMs > 0 ? setTimeout(onSlow, idleMs, 'idle', idleMs) : undefined;
    const totalMs = options.totalTimeoutMs ?? 0;
    const total = totalMs > 0 ? setTimeout(onSlow, totalMs, 'total', totalMs) : undefined;

    function stop(): void {
      clearTimeout(idle);
      clearTimeout(total);
      source.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
    }
    function failWith(error: NetError): void {
      stop();
      source.pause();
      reject(error);
    }
    function onSlow(kind: string, limitMs: number): void {
      const message = `the request body was not complete in time: ${size} bytes came before the ${kind} timeout of ${limitMs} ms`;
      failWith(new NetError('slow_body', message, { details: { bytes: size, limitMs } }));
    }
    function onData(piece: Buffer): void {
      size += piece.length;
      if (size > maxBytes) return failWith(tooLarge(size, options));
      if (!options.budget.tryTake(piece.length)) return failWith(budgetExhausted(options.budget));
      options.onTaken(piece.length);
      pieces.push(piece);
      idle?.refresh();
    }
    function onEnd(): void {
      stop();
      const first = pieces[0];
      if (first === undefined) resolve(new Uint8Array(0));
      else resolve(pieces.length === 1 ? first : Buffer.concat(pieces, size));
    }
    function onError(cause: Error): void {
      failWith(
        new NetError('aborted', `reading the request body failed after ${size} bytes: ${cause.message}`, { cause }),
      );
    }
    function onClose(): void {
      failWith(new NetError('aborted', `the peer went away after ${size} bytes of its request body`));
    }
    source.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    // An HTTP/2 stream without data may have ended before anybody could listen.
    if (source.readableEnded) onEnd();
    else if (source.destroyed) onClose();
  });
}

function tooLarge(bytes: number, options: ReadBodyOptions): NetError {
  const message = `http: request body too large: at least ${bytes} bytes, ${options.limitSetting} allows ${options.maxBytes}; send smaller batches or raise the setting`;
  return new NetError('body_too_large', message, { details: { bytes, limitBytes: options.maxBytes } });
}

function budgetExhausted(budget: ByteBudget): NetError {
  const message = `all request bodies being read hold the ${budget.maxBytes} bytes that max_in_flight_body_bytes allows; try again later`;
  return new NetError('budget_exhausted', message, { details: { limitBytes: budget.maxBytes } });
}
