// Hot path: how bytes come off sockets. Guarded by bench/gateway.
//
// A socket that says `data` has memory made for every piece it reads. Here all plain sockets of a thread read into the same
// buffer, and whoever keeps bytes copies them: two microseconds less for a request that is proxied.
import { Socket } from 'node:net';
import type { OnReadOpts } from 'node:net';

/** Takes what was read: the first `length` bytes of `bytes`, which may be somebody else's when it returns; see {@link isShared}. */
export type TakeBytes = (bytes: Buffer, length: number) => void;

const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** What a socket with the shared buffer reads goes to `take`, as soon as there is one. */
interface SharedReader {
  take: TakeBytes | undefined;
  /** What came before. */
  early: Buffer | undefined;
  /** Set where the socket is a stream again. */
  stream: Socket | undefined;
}

/** Whether bytes have to be copied to be kept. */
export function isShared(bytes: Buffer): boolean {
  return bytes === shared;
}

const readers = new WeakMap<Socket, SharedReader>();

/** The `onread` of a socket; it has to be told which socket that is. */
function sharedRead(): { onread: OnReadOpts; own(socket: Socket): void } {
  const reader: SharedReader = { take: undefined, early: undefined, stream: undefined };
  const callback = (length: number): boolean => {
    // What is not wanted now stops the reading; the stream's next `read` begins it anew.
    if (reader.stream !== undefined) return reader.stream.push(Buffer.from(shared.subarray(0, length)));
    if (reader.take !== undefined) reader.take(shared, length);
    else reader.early = Buffer.concat([reader.early ?? shared.subarray(0, 0), shared.subarray(0, length)]);
    return true;
  };
  return { onread: { buffer: shared, callback }, own: (socket) => void readers.set(socket, reader) };
}

/** Makes a socket that is about to connect read into the shared buffer; see {@link readBytes}. */
export function connectShared(connect: (onread: OnReadOpts) => Socket): Socket {
  const { onread, own } = sharedRead();
  const socket = connect(onread);
  own(socket);
  return socket;
}

/**
 * Makes an accepted socket that has read nothing yet (`pauseOnConnect`) read into the shared buffer. For this, what the
 * system's connection belongs to is exchanged, which Node has no documented way for: without the undocumented one the socket
 * stays as it is, only slower.
 */
export function shareAccepted(accepted: Socket, allowHalfOpen: boolean): Socket {
  const handle: unknown = Reflect.get(accepted, '_handle');
  if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle)) return accepted;
  const { onread, own } = sharedRead();
  Reflect.set(accepted, '_handle', null);
  // Without a connection of its own it ends at once; the server then does not count it any more.
  accepted.destroy();
  const socket = new Socket({ handle: handle as never, allowHalfOpen, readable: true, writable: true, onread });
  own(socket);
  return socket;
}

/** Gives what a socket reads from now on to `take`. */
export function readBytes(socket: Socket, take: TakeBytes): void {
  const reader = readers.get(socket);
  if (reader === undefined) {
    socket.on('data', (piece: Buffer) => take(piece, piece.length));
    return;
  }
  const { early } = reader;
  reader.take = take;
  reader.early = undefined;
  socket.resume();
  if (early !== undefined) take(early, early.length);
}

/** Makes it a socket like any other, which says `data`. It is paused. */
export function readAsStream(socket: Socket): void {
  const reader = readers.get(socket);
  socket.pause();
  if (reader === undefined) socket.removeAllListeners('data');
  else reader.stream = socket;
}
