import type { Socket } from 'node:net';

/** Why a handshake came to nothing, as metrics say it. */
export type HandshakeFailureReason = 'timeout' | 'connection_lost' | 'refused';

/** How long the handshakes of a listener take. A connection is known by its peer: the socket that TLS is spoken on is another object. */
export class Handshakes {
  readonly #startedMs = new Map<string, number>();

  begin(socket: Socket): void {
    const peer = peerOf(socket);
    this.#startedMs.set(peer, performance.now());
    socket.once('close', () => this.#startedMs.delete(peer));
  }

  /** The time since the beginning, in milliseconds; 0 when the connection is over already. */
  end(socket: Socket): number {
    const peer = peerOf(socket);
    const startedMs = this.#startedMs.get(peer);
    this.#startedMs.delete(peer);
    return startedMs === undefined ? 0 : performance.now() - startedMs;
  }
}

/** Sorts failures into few kinds. */
export function handshakeFailureReason(error: Error & { readonly code?: string }): HandshakeFailureReason {
  if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'connection_lost' : 'refused';
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
