import type { Meter } from '@clew/base';
import type { ClientConnection } from '../../proxy/exchange.ts';
import type { ReloadOutcome } from '../../proxy/observer.ts';
import type { HandshakeFailureReason } from '../../proxy/server/handshakes.ts';
import { durationBuckets } from './histogram.ts';

/** Metrics of what happens less often than requests. */
export class EventFigures {
  readonly #connections;
  readonly #reloads;
  readonly #rateLimits;
  readonly #handshakes;
  readonly #handshakeFailures;
  #open = 0;

  constructor(meter: Meter) {
    this.#connections = meter.counter({
      name: 'zentinel_connections_total',
      help: 'Client connections that were accepted.',
      labels: ['listener'],
    });
    meter.observe({ name: 'zentinel_open_connections', help: 'Client connections.' }, () => [{ value: this.#open }]);
    this.#reloads = meter.counter({
      name: 'zentinel_config_reload_total',
      help: 'Reloads of the configuration.',
      labels: ['result'],
    });
    for (const result of ['success', 'failure']) this.#reloads.add(0, { result });
    this.#rateLimits = meter.counter({
      name: 'zentinel_rate_limit_hits_total',
      help: 'Requests beyond a rate limit, by what came of it.',
      labels: ['action'],
    });
    for (const action of ['reject', 'delay', 'log-only']) this.#rateLimits.add(0, { action });
    this.#handshakes = meter.histogram({
      name: 'zentinel_tls_handshake_duration_seconds',
      help: 'Time in which clients and the gateway agreed on TLS.',
      labels: ['version'],
      buckets: durationBuckets,
    });
    this.#handshakeFailures = meter.counter({
      name: 'clew_gateway_tls_handshake_failures_total',
      help: 'Clients that came to no agreement about TLS.',
      labels: ['listener', 'reason'],
    });
  }

  connectionOpened({ listenerId, tls }: ClientConnection): void {
    this.#open++;
    this.#connections.add(1, { listener: listenerId });
    // `TLSv1.3` is `TLS1.3` to dashboards.
    if (tls !== undefined) this.#handshakes.record(tls.handshakeMs / 1000, { version: tls.version.replace('v', '') });
  }

  connectionClosed(): void {
    this.#open--;
  }

  handshakeFailed(listener: string, reason: HandshakeFailureReason): void {
    this.#handshakeFailures.add(1, { listener, reason });
  }

  reloaded({ result }: ReloadOutcome): void {
    this.#reloads.add(1, { result });
  }

  rateLimited(action: string): void {
    this.#rateLimits.add(1, { action });
  }
}
