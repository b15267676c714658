import type { ClientConnection, Exchange } from '../proxy/exchange.ts';

/** What is written of the requests of one connection, and what that was made from. */
interface Remembered {
  authority: string;
  userAgent: string;
  referer: string;
  httpVersion: string;
  bytes: Uint8Array;
  /** How often requests differed. */
  changes: number;
}

/** From its third request on it is likely that a connection has more. */
const REMEMBERED_FROM = 3;
/** Connections of other proxies carry requests of many clients: there is nothing to remember. */
const MAX_CHANGES = 4;

/**
 * Bytes that say who asks whom with which program. Hot path, guarded by `bench/gateway-telemetry`: kept for connections that are used
 * again, whose requests hardly ever differ in that, and gone with the connection.
 */
export class ConnectionBytes {
  readonly #make: (exchange: Exchange, userAgent: string, referer: string) => Uint8Array;
  readonly #byConnection = new WeakMap<ClientConnection, Remembered>();

  /** `make` may use of the exchange what is constant for its connection, the authority and the version. */
  constructor(make: (exchange: Exchange, userAgent: string, referer: string) => Uint8Array) {
    this.#make = make;
  }

  /** The bytes for a request; undefined where it is not worth while to keep any. */
  find(exchange: Exchange, userAgent: string, referer: string): Uint8Array | undefined {
    const { connection, authority, httpVersion } = exchange;
    if (connection.requests < REMEMBERED_FROM) return undefined;
    const known = this.#byConnection.get(connection);
    if (known === undefined) return this.#remember(exchange, userAgent, referer, 0);
    if (
      known.userAgent === userAgent &&
      known.authority === authority &&
      known.referer === referer &&
      known.httpVersion === httpVersion
    ) {
      return known.bytes;
    }
    return known.changes < MAX_CHANGES ? this.#remember(exchange, userAgent, referer, known.changes + 1) : undefined;
  }

  #remember(exchange: Exchange, userAgent: string, referer: string, changes: number): Uint8Array {
    const bytes = this.#make(exchange, userAgent, referer);
    this.#byConnection.set(exchange.connection, {
      authority: ownCopy(exchange.authority),
      userAgent: ownCopy(userAgent),
      referer: ownCopy(referer),
      httpVersion: exchange.httpVersion,
      bytes,
      changes,
    });
    return bytes;
  }
}

/** A part of a text holds on to all of it, here to the head of a request. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
