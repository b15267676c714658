import type { Socket } from 'node:net';

/** What a client began to speak. */
export type Spoken = 'tls' | 'http2' | 'http1' | 'unknown';

/** The client's connection preface of HTTP/2 begins like this; no HTTP/1 method does. */
const preface = 'PRI';

/**
 * Recognises a protocol by its first bytes; undefined while there are too few. TLS begins with a handshake record
 * (0x16, major version 3), HTTP/1 with a method in capital letters.
 */
export function recognize(bytes: Uint8Array): Spoken | undefined {
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first === 0x16) return bytes[1] === undefined ? undefined : bytes[1] === 3 ? 'tls' : 'unknown';
  for (let at = 0; at < preface.length; at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    if (byte !== preface.charCodeAt(at)) return isMethodStart(first) ? 'http1' : 'unknown';
  }
  return 'http2';
}

function isMethodStart(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** Waits for the first bytes, puts them back, and tells what they begin. Calls back once, or never if closed before. */
export function sniff(socket: Socket, timeoutMs: number, done: (spoken: Spoken | 'silent') => void): void {
  const timer = timeoutMs > 0 ? setTimeout(finish, timeoutMs, 'silent') : undefined;
  let held: Buffer | undefined;
  socket.on('readable', onReadable);
  socket.on('close', stop);

  function onReadable(): void {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    // Bytes go back only once they suffice: putting back too few would only make the socket readable again.
    held = held ? Buffer.concat([held, bytes]) : bytes;
    const spoken = recognize(held);
    if (!spoken) return;
    socket.unshift(held);
    finish(spoken);
  }
  function stop(): void {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('close', stop);
  }
  function finish(spoken: Spoken | 'silent'): void {
    stop();
    done(spoken);
  }
}
