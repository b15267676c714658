import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientConnection } from '../exchange.ts';
import type { GatewayLimits } from './limits.ts';

/** Counts connections in all and by client. One for all listeners of a gateway. */
export class ConnectionCounter {
  readonly #byClient = new Map<string, number>();
  #open = 0;

  get open(): number {
    return this.#open;
  }

  /** Takes a connection in; returns what it exceeds, in words, if it must not stay. */
  admit(clientIp: string, limits: GatewayLimits): string | undefined {
    const ofClient = this.#byClient.get(clientIp) ?? 0;
    if (!limits.connections.allows(this.#open + 1)) return limits.connections.exceeded(this.#open + 1).message;
    if (!limits.connectionsPerClient.allows(ofClient + 1)) {
      return limits.connectionsPerClient.exceeded(ofClient + 1).message;
    }
    this.#open++;
    this.#byClient.set(clientIp, ofClient + 1);
    return undefined;
  }

  release(clientIp: string): void {
    this.#open--;
    const left = (this.#byClient.get(clientIp) ?? 1) - 1;
    if (left === 0) this.#byClient.delete(clientIp);
    else this.#byClient.set(clientIp, left);
  }
}

/** What is known of a client when it has connected. */
export function describeConnection(listenerId: string, socket: Socket): ClientConnection {
  return {
    listenerId,
    clientIp: plainAddress(socket.remoteAddress),
    clientPort: socket.remotePort ?? 0,
    localPort: socket.localPort ?? 0,
    requests: 0,
    closing: false,
  };
}

/** The same for a connection whose handshake is done. */
export function describeTlsConnection(listenerId: string, socket: TLSSocket): ClientConnection {
  const servername: unknown = Reflect.get(socket, 'servername');
  return {
    ...describeConnection(listenerId, socket),
    tls: {
      version: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      serverName: typeof servername === 'string' ? servername : '',
    },
  };
}

/** An address without the prefix IPv4 has on sockets that take both families. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
