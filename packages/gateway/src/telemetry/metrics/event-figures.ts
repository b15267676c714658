import type { Meter } from '@clew/base';
import type { ClientConnection } from '../../proxy/exchange.ts';
import type { ReloadOutcome } from '../../proxy/observer.ts';

/** Metrics of what happens less often than requests. */
export class EventFigures {
  readonly #connections;
  readonly #reloads;
  readonly #rateLimits;
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
  }

  connectionOpened({ listenerId }: ClientConnection): void {
    this.#open++;
    this.#connections.add(1, { listener: listenerId });
  }

  connectionClosed(): void {
    this.#open--;
  }

  reloaded({ result }: ReloadOutcome): void {
    this.#reloads.add(1, { result });
  }

  rateLimited(action: string): void {
    this.#rateLimits.add(1, { action });
  }
}
