import type { Labels } from '@clew/base';
import type { MetricFamily } from '@clew/base/node';
import type { Attempt, Exchange } from '../../proxy/exchange.ts';
import { Distribution, durationBuckets, sizeBuckets } from './histogram.ts';

/**
 * The metrics that every request feeds. Hot path, guarded by `bench/gateway-telemetry`: figures of a route and method are found by two look-ups
 * and are numbers in place; text is made when metrics are read.
 */

/** Methods that are labels; any other is `OTHER`, so that clients cannot make labels. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;
const methodIndex: ReadonlyMap<string, number> = new Map(methods.map((method, index) => [method, index]));
const OTHER_METHOD = methods.length;

/** The route of requests that matched none. */
const NO_ROUTE = 'none';

/** Statuses are 100 to 999; 0 stands for requests that ended without one. */
const STATUSES = 1000;

/** Routes that have figures of their own; configurations come and go, and labels stay. Beyond it: `other`. */
const MAX_ROUTES = 2000;
const OVERFLOW_ROUTE = 'other';

/** Upstream and route together, as often as they occur. */
const MAX_PAIRS = 5000;

class MethodFigures {
  readonly statuses: (number | undefined)[] = Array.from({ length: STATUSES });
  readonly durations: Distribution = new Distribution(durationBuckets);
}

class RouteFigures {
  readonly methods: (MethodFigures | undefined)[] = Array.from({ length: OTHER_METHOD + 1 });
  readonly requestBytes: Distribution = new Distribution(sizeBuckets);
  readonly responseBytes: Distribution = new Distribution(sizeBuckets);
}

class AttemptFigures {
  readonly upstream: string;
  readonly route: string;
  attempts = 0;
  readonly failures: Map<string, number> = new Map();

  constructor(upstream: string, route: string) {
    this.upstream = upstream;
    this.route = route;
  }
}

/** Counts requests and attempts. */
export class RequestFigures {
  readonly #routes = new Map<string, RouteFigures>();
  readonly #attempts = new Map<string, Map<string, AttemptFigures>>();
  readonly #blocked = new Map<string, number>();
  #pairs = 0;
  #active = 0;

  requestStarted(): void {
    this.#active++;
  }

  requestEnded(exchange: Exchange): void {
    this.#active--;
    const figures = this.#routeFigures(exchange.route === undefined ? NO_ROUTE : exchange.route.id);
    const index = methodIndex.get(exchange.method) ?? OTHER_METHOD;
    const ofMethod = (figures.methods[index] ??= new MethodFigures());
    const status = exchange.status < STATUSES ? exchange.status : 0;
    ofMethod.statuses[status] = (ofMethod.statuses[status] ?? 0) + 1;
    ofMethod.durations.record((exchange.endMs - exchange.startMs) / 1000);
    figures.requestBytes.record(exchange.requestBodyBytes);
    figures.responseBytes.record(exchange.responseBodyBytes);
    if (exchange.blocked !== undefined) this.#block(exchange.blocked);
    else if (exchange.answeredBy === 'gateway' && status >= 400 && status !== 404 && status !== 499) {
      this.#block(`proxy_error_${status}`);
    }
  }

  attemptEnded(exchange: Exchange, attempt: Attempt): void {
    const figures = this.#attemptFigures(
      attempt.upstreamId,
      exchange.route === undefined ? NO_ROUTE : exchange.route.id,
    );
    figures.attempts++;
    const { failure } = attempt;
    // A client that left, or an answer from elsewhere, is no failure of the upstream.
    if (failure !== undefined && failure !== 'aborted')
      figures.failures.set(failure, (figures.failures.get(failure) ?? 0) + 1);
  }

  /** All of it as plain data. */
  families(): MetricFamily[] {
    const requests = family('zentinel_requests_total', 'counter', 'Requests that have ended.');
    const durations = family('zentinel_request_duration_seconds', 'histogram', 'Time from head to last byte.');
    const requestBytes = family('zentinel_request_body_size_bytes', 'histogram', 'Body bytes that clients sent.');
    const responseBytes = family('zentinel_response_body_size_bytes', 'histogram', 'Body bytes that clients got.');
    for (const [route, figures] of this.#routes) {
      figures.methods.forEach((ofMethod, index) => {
        if (ofMethod === undefined) return;
        const labels = { route, method: methods[index] ?? 'OTHER' };
        addStatuses(requests, labels, ofMethod.statuses);
        ofMethod.durations.addSamples(durations.name, labels, durations.samples);
      });
      figures.requestBytes.addSamples(requestBytes.name, { route }, requestBytes.samples);
      figures.responseBytes.addSamples(responseBytes.name, { route }, responseBytes.samples);
    }
    const active = family('zentinel_active_requests', 'gauge', 'Requests in progress.');
    active.samples.push({ name: active.name, labels: {}, value: this.#active });
    return [
      requests,
      durations,
      requestBytes,
      responseBytes,
      active,
      ...this.#attemptFamilies(),
      this.#blockedFamily(),
    ];
  }

  #attemptFamilies(): MetricFamily[] {
    const attempts = family('zentinel_upstream_attempts_total', 'counter', 'Tries to get a response from an upstream.');
    const failures = family('zentinel_upstream_failures_total', 'counter', 'Tries that brought no response.');
    for (const { upstream, route, attempts: value, failures: reasons } of this.#eachAttemptFigures()) {
      attempts.samples.push({ name: attempts.name, labels: { upstream, route }, value });
      for (const [reason, count] of reasons) {
        failures.samples.push({ name: failures.name, labels: { upstream, route, reason }, value: count });
      }
    }
    return [attempts, failures];
  }

  #blockedFamily(): MetricFamily {
    const blocked = family('zentinel_blocked_requests_total', 'counter', 'Requests that were not let through.');
    for (const [reason, value] of this.#blocked)
      blocked.samples.push({ name: blocked.name, labels: { reason }, value });
    return blocked;
  }

  *#eachAttemptFigures(): Iterable<AttemptFigures> {
    for (const ofUpstream of this.#attempts.values()) yield* ofUpstream.values();
  }

  #routeFigures(route: string): RouteFigures {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    if (this.#routes.size >= MAX_ROUTES && route !== OVERFLOW_ROUTE) return this.#routeFigures(OVERFLOW_ROUTE);
    const figures = new RouteFigures();
    this.#routes.set(route, figures);
    return figures;
  }

  #attemptFigures(upstream: string, route: string): AttemptFigures {
    const known = this.#attempts.get(upstream)?.get(route);
    if (known !== undefined) return known;
    if (this.#pairs >= MAX_PAIRS && upstream !== OVERFLOW_ROUTE)
      return this.#attemptFigures(OVERFLOW_ROUTE, OVERFLOW_ROUTE);
    const ofUpstream = this.#attempts.get(upstream) ?? new Map<string, AttemptFigures>();
    const figures = new AttemptFigures(upstream, route);
    this.#attempts.set(upstream, ofUpstream.set(route, figures));
    this.#pairs++;
    return figures;
  }

  #block(reason: string): void {
    this.#blocked.set(reason, (this.#blocked.get(reason) ?? 0) + 1);
  }
}

function family(name: string, kind: MetricFamily['kind'], help: string): MetricFamily {
  return { name, help, kind, level: 'basic', samples: [] };
}

function addStatuses({ name, samples }: MetricFamily, labels: Labels, counts: readonly (number | undefined)[]): void {
  counts.forEach((value, status) => {
    if (value !== undefined) samples.push({ name, labels: { ...labels, status: String(status) }, value });
  });
}
