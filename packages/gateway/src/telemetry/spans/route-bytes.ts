import type { TracingConfig } from '../../config/model/observability.ts';
import type { RouteConfig } from '../../config/model/route.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import { int, text } from './keys.ts';
import { isKnownMethod, stableMethod } from '../methods.ts';
import { bytesOf } from './ready-bytes.ts';
import { NAME, textStartAfter } from './text-start.ts';
import type { TextStart } from './text-start.ts';

/** What follows from the status of a response, which is 0 where there was none. */
interface StatusBytes {
  /** `http.status_code`, `service.name`, `peer.service`, `http.request.method`; then the start of `url.path`. */
  readonly path: TextStart;
  /** `url.scheme`, `http.response.status_code` and `http.route`. */
  readonly result: Uint8Array;
}

/** What a configuration says about names in spans. */
export type SpanNaming = Pick<TracingConfig, 'serviceName' | 'spanName'>;

/**
 * What the requests have in common that have route, path condition, method, upstream and scheme in common. Hot path, guarded by
 * `bench/gateway-telemetry`: all attributes but a request's own are copied from here in a few pieces.
 */
export class RouteBytes {
  readonly method: string;
  readonly pattern: string;
  readonly upstreamId: string;
  readonly secure: boolean;
  /** The name up to the path. */
  readonly name: Uint8Array;
  /** The name, where it is that of the route. */
  readonly wholeName: Uint8Array | undefined;
  /** `http.method`; then the start of `http.target`. */
  readonly target: TextStart;
  /** `gateway.route.id`; then the start of `gateway.correlation_id`. */
  readonly correlationId: TextStart;
  /** `gateway.upstream.id`. */
  readonly upstream: Uint8Array;
  /** `gateway.upstream.id` and one attempt. */
  readonly upstreamOnce: Uint8Array;
  readonly #serviceName: string;
  readonly #byStatus: (StatusBytes | undefined)[] = [];

  constructor({ serviceName, spanName }: SpanNaming, exchange: Exchange) {
    const { route, method, routePattern, upstreamId, connection } = exchange;
    const verb = method === '' ? 'HTTP' : method;
    this.#serviceName = serviceName;
    this.method = method;
    this.pattern = routePattern;
    this.upstreamId = upstreamId;
    this.secure = connection.tls !== undefined;
    this.name = Uint8Array.from([NAME, 0, ...Buffer.from(`${verb} `)]);
    this.wholeName =
      spanName === 'route'
        ? bytesOf((out) => out.field(NAME, routePattern === '' ? verb : `${verb} ${routePattern}`))
        : undefined;
    this.target = textStartAfter(
      bytesOf((out) => out.text(text['http.method'], method)),
      text['http.target'],
    );
    this.correlationId = textStartAfter(
      bytesOf((out) => out.text(text['gateway.route.id'], route?.id ?? '')),
      text['gateway.correlation_id'],
    );
    this.upstream = bytesOf((out) => out.text(text['gateway.upstream.id'], upstreamId));
    this.upstreamOnce = bytesOf((out) => {
      out.ready(this.upstream);
      out.int(int['gateway.upstream.attempts'], 1);
    });
  }

  ofStatus(status: number): StatusBytes {
    return this.#byStatus[status] ?? this.#makeStatus(status);
  }

  #makeStatus(status: number): StatusBytes {
    const before = bytesOf((out) => {
      if (status > 0) out.int(int['http.status_code'], status);
      out.text(text['service.name'], this.#serviceName);
      out.text(text['peer.service'], this.upstreamId);
      out.text(text['http.request.method'], stableMethod(this.method));
    });
    const result = bytesOf((out) => {
      out.text(text['url.scheme'], this.secure ? 'https' : 'http');
      if (status > 0) out.int(int['http.response.status_code'], status);
      out.text(text['http.route'], this.pattern);
    });
    const made = { path: textStartAfter(before, text['url.path']), result };
    if (status < MAX_STATUS) this.#byStatus[status] = made;
    return made;
  }
}

/** Responses have statuses below. */
const MAX_STATUS = 1000;

/** Of methods, path conditions, upstreams and schemes together; a route has few of each. */
const MAX_PER_ROUTE = 64;

/** Stands for the route of requests that have none. */
const noRoute: object = {};

/** Finds {@link RouteBytes}, which are gone with the configuration whose route it is. */
export class RouteBytesCache {
  readonly #naming: SpanNaming;
  readonly #byRoute = new WeakMap<object, RouteBytes[]>();

  constructor(naming: SpanNaming) {
    this.#naming = naming;
  }

  find(exchange: Exchange): RouteBytes {
    const { route, method, routePattern, upstreamId, connection } = exchange;
    const ofRoute = this.#byRoute.get(route ?? noRoute);
    if (ofRoute === undefined) return this.#make(exchange, route, ofRoute);
    const secure = connection.tls !== undefined;
    for (let i = 0; i < ofRoute.length; i++) {
      const found = ofRoute[i]!;
      if (
        found.method === method &&
        found.pattern === routePattern &&
        found.upstreamId === upstreamId &&
        found.secure === secure
      ) {
        return found;
      }
    }
    return this.#make(exchange, route, ofRoute);
  }

  #make(exchange: Exchange, route: RouteConfig | undefined, ofRoute: RouteBytes[] | undefined): RouteBytes {
    const made = new RouteBytes(this.#naming, exchange);
    // Methods that clients make up come once, and would crowd out the others.
    if (!isKnownMethod(exchange.method)) return made;
    if (ofRoute === undefined) this.#byRoute.set(route ?? noRoute, [made]);
    else if (ofRoute.length < MAX_PER_ROUTE) ofRoute.push(made);
    return made;
  }
}
