// Hot path: reads the one message of every unary request (guarded by bench/net). Pieces are kept as HTTP/2 delivers
// them and joined once; a message that came in one piece is a view of it.
import type { Readable } from 'node:stream';
import type { ByteBudget } from '../byte-budget.ts';
import { NetError } from '../errors.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { rpcStatus } from '../status/rpc-status.ts';

/** Flag and length before every message. */
export const framePrefixBytes = 5;

/** A message and whether it is compressed. */
export interface FramedMessage {
  readonly compressed: boolean;
  readonly bytes: Uint8Array;
}

/** What holds for one message. */
export interface ReadMessageOptions {
  readonly maxBytes: number;
  readonly idleTimeoutMs: number;
  readonly budget: ByteBudget;
  readonly onTaken: (bytes: number) => void;
}

/**
 * Reads a stream that must carry exactly one message, to its end.
 *
 * Fails with `NetError`, each with the status to answer: `body_too_large`, `malformed_frame`, `slow_body`,
 * `budget_exhausted`, `aborted`.
 */
export function readSingleMessage(source: Readable, options: ReadMessageOptions): Promise<FramedMessage> {
  return new Promise((resolve, reject) => {
    let pieces: Buffer[] = [];
    let size = 0;
    let length = -1;
    const { idleTimeoutMs } = options;
    const idle = idleTimeoutMs > 0 ? setTimeout(onSlow, idleTimeoutMs) : undefined;

    function stop(): void {
      clearTimeout(idle);
      source.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    }
    function failWith(error: NetError): void {
      stop();
      source.pause();
      reject(error);
    }
    function onSlow(): void {
      failWith(slowMessage(size, idleTimeoutMs));
    }
    function onData(piece: Buffer): void {
      size += piece.length;
      if (!options.budget.tryTake(piece.length)) return failWith(budgetExhausted(options.budget));
      options.onTaken(piece.length);
      pieces.push(piece);
      if (length < 0 && size >= framePrefixBytes) {
        if (pieces.length > 1) pieces = [Buffer.concat(pieces, size)];
        const head = pieces[0] as Buffer;
        if ((head[0] as number) > 1) return failWith(malformed(`its first byte is ${head[0]}, not 0 or 1`));
        length = head.readUInt32BE(1);
        if (length > options.maxBytes) return failWith(messageTooLarge(length, options.maxBytes));
      }
      if (length >= 0 && size > framePrefixBytes + length) {
        return failWith(malformed(`${size - framePrefixBytes - length} bytes follow the only message of a unary call`));
      }
      idle?.refresh();
    }
    function onEnd(): void {
      if (length < 0 || size < framePrefixBytes + length) {
        const wanted = length < 0 ? framePrefixBytes : framePrefixBytes + length;
        return failWith(malformed(`the stream ended after ${size} of ${wanted} bytes`));
      }
      stop();
      const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size);
      resolve({ compressed: whole[0] === 1, bytes: whole.subarray(framePrefixBytes) });
    }
    function onGone(cause?: Error): void {
      const message = `the caller went away after ${size} bytes of its message`;
      const status = rpcStatus(GrpcCode.cancelled, message);
      failWith(new NetError('aborted', message, cause ? { cause, status } : { status }));
    }
    source.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
    // An HTTP/2 stream without data may have ended before anybody could listen.
    if (source.readableEnded) onEnd();
    else if (source.destroyed) onGone();
  });
}

/** Flag and length of a message. */
export function framePrefix(message: Uint8Array, compressed: boolean): Uint8Array {
  const prefix = Buffer.allocUnsafe(framePrefixBytes);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(message.length, 1);
  return prefix;
}

/** Puts flag and length before a message. */
export function frameMessage(message: Uint8Array, compressed: boolean): Uint8Array {
  return Buffer.concat([framePrefix(message, compressed), message]);
}

function messageTooLarge(bytes: number, limitBytes: number): NetError {
  const message = `grpc: received message larger than max (${bytes} vs. ${limitBytes})`;
  return new NetError('body_too_large', message, {
    status: rpcStatus(GrpcCode.resourceExhausted, message),
    details: { bytes, limitBytes },
  });
}

/** The error of a message that is too large once decompressed; gRPC words it without naming a setting. */
export function inflatedMessageTooLarge(bytes: number, limitBytes: number): NetError {
  const message = `grpc: received message after decompression larger than max (${bytes} vs. ${limitBytes})`;
  return new NetError('inflated_too_large', message, {
    status: rpcStatus(GrpcCode.resourceExhausted, message),
    details: { bytes, limitBytes },
  });
}

function malformed(why: string): NetError {
  const message = `cannot read the gRPC message: ${why}`;
  return new NetError('malformed_frame', message, { status: rpcStatus(GrpcCode.internal, message) });
}

function slowMessage(bytes: number, limitMs: number): NetError {
  const message = `the message was not complete in time: ${bytes} bytes came before an idle timeout of ${limitMs} ms`;
  return new NetError('slow_body', message, {
    status: rpcStatus(GrpcCode.deadlineExceeded, message),
    details: { bytes, limitMs },
  });
}

function budgetExhausted(budget: ByteBudget): NetError {
  const message = `all request bodies being read hold the ${budget.maxBytes} bytes that max_in_flight_body_bytes allows; try again later`;
  return new NetError('budget_exhausted', message, {
    status: rpcStatus(GrpcCode.unavailable, message),
    details: { limitBytes: budget.maxBytes },
  });
}
