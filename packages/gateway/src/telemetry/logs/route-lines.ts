import type { Exchange } from '../../proxy/exchange.ts';
import { isKnownMethod } from '../methods.ts';
import type { ShownFields } from './json-access-line.ts';
import { LineBuffer } from './line-buffer.ts';

/**
 * What lines of requests have in common that went the same way. Hot path, guarded by `bench/gateway-telemetry`: made when first seen, and
 * gone with the configuration whose route it is.
 */
export interface RouteLine {
  readonly requestMethod: string;
  readonly upstreamId: string;
  readonly remoteAddress: string;
  readonly attempts: number;
  readonly connectionReused: boolean;
  readonly rateLimitHit: boolean;
  /** The field of the method. */
  readonly method: Uint8Array;
  /** From the route to the closing brace. */
  readonly end: Uint8Array;
}

/** Of ways that requests of a route go; beyond them they are made anew each time. */
const MAX_PER_ROUTE = 64;

/** Stands for the route of requests that have none. */
const noRoute: object = {};

/** Finds {@link RouteLine}s. */
export class RouteLines {
  readonly #shown: ShownFields;
  readonly #instanceId: string;
  readonly #byRoute = new WeakMap<object, RouteLine[]>();
  readonly #scratch = new LineBuffer();

  constructor(shown: ShownFields, instanceId: string) {
    this.#shown = shown;
    this.#instanceId = instanceId;
  }

  find(exchange: Exchange): RouteLine {
    const { route, method, upstreamId, attempts, rateLimitHit } = exchange;
    const ofRoute = this.#byRoute.get(route ?? noRoute);
    if (ofRoute === undefined) return this.#remember(exchange, ofRoute);
    const last = attempts[attempts.length - 1];
    const remoteAddress = last === undefined ? '' : last.remoteAddress;
    const connectionReused = last !== undefined && last.connectionReused;
    for (let i = 0; i < ofRoute.length; i++) {
      const found = ofRoute[i]!;
      if (
        found.requestMethod === method &&
        found.remoteAddress === remoteAddress &&
        found.connectionReused === connectionReused &&
        found.attempts === attempts.length &&
        found.upstreamId === upstreamId &&
        found.rateLimitHit === rateLimitHit
      ) {
        return found;
      }
    }
    return this.#remember(exchange, ofRoute);
  }

  #remember(exchange: Exchange, ofRoute: RouteLine[] | undefined): RouteLine {
    const made = this.#make(exchange);
    // Methods that clients make up come once, and would crowd out the others.
    if (!isKnownMethod(exchange.method)) return made;
    if (ofRoute === undefined) this.#byRoute.set(exchange.route ?? noRoute, [made]);
    else if (ofRoute.length < MAX_PER_ROUTE) ofRoute.push(made);
    return made;
  }

  #make(exchange: Exchange): RouteLine {
    const { method, upstreamId, attempts, rateLimitHit, lastAttempt } = exchange;
    return {
      requestMethod: method,
      upstreamId,
      remoteAddress: lastAttempt?.remoteAddress ?? '',
      attempts: attempts.length,
      connectionReused: lastAttempt?.connectionReused ?? false,
      rateLimitHit,
      method: this.#bytesOf((line) => textField(line, ',"method":"', method)),
      end: this.#bytesOf((line) => this.#writeEnd(line, exchange)),
    };
  }

  #writeEnd(line: LineBuffer, { route, upstreamId, attempts, lastAttempt, rateLimitHit }: Exchange): void {
    const shown = this.#shown;
    if (route !== undefined) textField(line, ',"route_id":"', route.id);
    if (upstreamId !== '') textField(line, ',"upstream":"', upstreamId);
    const address = lastAttempt?.remoteAddress ?? '';
    if (shown.upstream_addr && address !== '') textField(line, ',"upstream_addr":"', address);
    line.ascii(`,"upstream_attempts":${attempts.length}`);
    if (shown.connection_reused) line.ascii(`,"connection_reused":${lastAttempt?.connectionReused ?? false}`);
    if (shown.rate_limit_hit) line.ascii(`,"rate_limit_hit":${rateLimitHit}`);
    textField(line, ',"instance_id":"', this.#instanceId);
    line.ascii('}');
  }

  #bytesOf(write: (line: LineBuffer) => void): Uint8Array {
    this.#scratch.length = 0;
    write(this.#scratch);
    return this.#scratch.copy();
  }
}

/** `start` has the field's comma, name, colon and opening quote. */
function textField(line: LineBuffer, start: string, value: string): void {
  line.ascii(start);
  line.json(value);
  line.ascii('"');
}
