import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientConnection } from '../exchange.ts';
import type { GatewayLimits } from './limits.ts';
import type { SharedTally } from './shared-tally.ts';

/** Counts connections in all and by client. One for all listeners of a gateway. */
export class ConnectionCounter {
  readonly #tally: SharedTally | undefined;
  readonly #byClient = new Map<string, number>();
  #open = 0;

  /** With a tally, limits are those of all threads together. */
  constructor(tally?: SharedTally) {
    this.#tally = tally;
  }

  get open(): number {
    return this.#open;
  }

  /** Takes a connection in; returns what it exceeds, in words, if it must not stay. */
  admit(clientIp: string, limits: GatewayLimits): string | undefined {
    const own = this.#byClient.get(clientIp) ?? 0;
    const open = this.#open + 1 + (this.#tally?.othersConnections() ?? 0);
    const ofClient = own + 1 + (this.#tally?.othersOfClient(clientIp) ?? 0);
    if (!limits.connections.allows(open)) return limits.connections.exceeded(open).message;
    if (!limits.connectionsPerClient.allows(ofClient)) return limits.connectionsPerClient.exceeded(ofClient).message;
    this.#byClient.set(clientIp, own + 1);
    this.#tally?.addClient(clientIp, 1);
    this.#setOpen(this.#open + 1);
    return undefined;
  }

  release(clientIp: string): void {
    const left = (this.#byClient.get(clientIp) ?? 1) - 1;
    if (left === 0) this.#byClient.delete(clientIp);
    else this.#byClient.set(clientIp, left);
    this.#tally?.addClient(clientIp, -1);
    this.#setOpen(this.#open - 1);
  }

  #setOpen(open: number): void {
    this.#open = open;
    this.#tally?.setConnections(open);
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
export function describeTlsConnection(listenerId: string, socket: TLSSocket, handshakeMs: number): ClientConnection {
  const servername: unknown = Reflect.get(socket, 'servername');
  return {
    ...describeConnection(listenerId, socket),
    tls: {
      version: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      serverName: typeof servername === 'string' ? servername : '',
      handshakeMs,
    },
  };
}

/** An address without the prefix IPv4 has on sockets that take both families. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
