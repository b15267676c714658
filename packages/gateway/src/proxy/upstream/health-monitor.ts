import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { errorMessage } from '@clew/base';
import type { ClientTlsConfig, HealthCheckConfig, HealthProbe } from '../../config/model/upstream.ts';
import { connectTarget } from './connect.ts';
import type { HostResolver } from './resolver.ts';
import type { Target } from './target.ts';

const userAgent = 'Clew-HealthCheck/1.0';

/** What probes need to know and whom they tell. */
export interface HealthMonitorOptions {
  readonly config: HealthCheckConfig;
  readonly tls: ClientTlsConfig | undefined;
  readonly resolver: HostResolver;
  onChange(target: Target, healthy: boolean, reason: string): void;
}

/** Probes one target again and again. Probes are neither traced nor logged as requests. */
export class HealthMonitor {
  readonly #target: Target;
  readonly #options: HealthMonitorOptions;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #successes = 0;
  #failures = 0;

  constructor(target: Target, options: HealthMonitorOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** Probes now and from then on. */
  start(): void {
    void this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const startMs = performance.now();
    const { intervalMs } = this.#options.config;
    const problem = await this.#probe();
    if (this.#stopped.signal.aborted) return;
    if (problem === undefined) this.#onSuccess();
    else this.#onFailure(problem);
    const elapsedMs = performance.now() - startMs;
    this.#timer = setTimeout(() => void this.#run(), Math.max(intervalMs - elapsedMs, 10)).unref();
  }

  /** What is wrong; undefined when nothing is. Never rejects. */
  async #probe(): Promise<string | undefined> {
    const { config, tls, resolver } = this.#options;
    const endMs = performance.now() + config.timeoutMs;
    try {
      const socket = await connectTarget({ target: this.#target.config, tls, resolver }, config.timeoutMs);
      if (config.probe.kind === 'tcp') {
        socket.destroy();
        return undefined;
      }
      return await askHttp(socket, config.probe, Math.max(endMs - performance.now(), 1), this.#stopped.signal);
    } catch (caught) {
      return errorMessage(caught);
    }
  }

  #onSuccess(): void {
    const target = this.#target;
    this.#failures = 0;
    this.#successes++;
    target.passive.reset();
    if (target.probed === 'healthy') return;
    if (target.probed === 'unhealthy' && this.#successes < this.#options.config.healthyThreshold) return;
    const recovered = target.probed === 'unhealthy';
    target.probed = 'healthy';
    target.lastError = '';
    this.#options.onChange(target, true, recovered ? 'probes succeed again' : 'the first probe succeeded');
  }

  #onFailure(problem: string): void {
    const target = this.#target;
    this.#successes = 0;
    this.#failures++;
    target.lastError = problem;
    if (target.probed === 'unhealthy' || this.#failures < this.#options.config.unhealthyThreshold) return;
    target.probed = 'unhealthy';
    this.#options.onChange(target, false, problem);
  }
}

function askHttp(
  socket: Socket,
  probe: Extract<HealthProbe, { readonly kind: 'http' }>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const finish = (problem: string | undefined): void => {
      clearTimeout(timer);
      request.destroy();
      socket.destroy();
      resolve(problem);
    };
    const request = httpRequest({
      method: 'GET',
      path: probe.path,
      headers: { Host: probe.host, 'User-Agent': userAgent, Connection: 'close' },
      createConnection: () => socket,
      signal,
    });
    const timer = setTimeout(() => finish(`no response within ${Math.round(timeoutMs)} ms`), timeoutMs);
    request.on('error', (error) => finish(errorMessage(error)));
    request.on('response', ({ statusCode = 0 }) => {
      const expected = probe.expectedStatuses.includes(statusCode);
      finish(expected ? undefined : `status ${statusCode} instead of ${probe.expectedStatuses.join(' or ')}`);
    });
    request.end();
  });
}
