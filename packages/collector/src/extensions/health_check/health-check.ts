import type { Telemetry } from '@clew/base';
import { acquireListener, formatAddress, resolveHttpServer } from '@clew/net';
import type { HttpReply, ListenerLease } from '@clew/net';
import type { ComponentStatus, CreateSettings, Host, PipelineWatcher } from '@clew/pipeline';
import { resolveAuthenticator } from '../../auth/authenticator.ts';
import { serverAvailableReply } from '../common/server-available.ts';
import type { HealthCheckConfig } from './config.ts';

/** Answers whether the pipelines run: 200 while they do, 503 before and after. */
export class HealthCheck implements PipelineWatcher {
  readonly #id: string;
  readonly #config: HealthCheckConfig;
  readonly #telemetry: Telemetry;
  #lease: ListenerLease | undefined;
  #upSince: Date | undefined;
  readonly #unhealthy = new Map<string, string>();

  constructor({ id, config, telemetry }: CreateSettings<HealthCheckConfig>) {
    this.#id = id;
    this.#config = config;
    this.#telemetry = telemetry;
  }

  async start(host: Host): Promise<void> {
    if (this.#lease !== undefined) return;
    const { endpoint, connections, tls, cors, responseHeaders, authenticator } = resolveHttpServer(this.#config);
    const authenticate = authenticator === undefined ? undefined : resolveAuthenticator(host, authenticator);
    const lease = await acquireListener({ endpoint, owner: this.#id, connections, ...(tls ? { tls } : {}) });
    this.#lease = lease;
    lease.mountHttp({
      paths: [this.#config.path],
      handler: () => this.#answer(),
      responseHeaders,
      ...(cors ? { cors } : {}),
      ...(authenticate ? { authenticate } : {}),
    });
    this.#telemetry.logger.info('Starting health_check extension', { endpoint: formatAddress(lease.address) });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    this.#upSince = undefined;
    await lease?.release({ graceMs: deadline.aborted ? 0 : 1000 });
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return {
      ready: this.#upSince !== undefined,
      address: this.#lease === undefined ? null : formatAddress(this.#lease.address),
      unhealthy: Object.fromEntries(this.#unhealthy),
    };
  }

  pipelinesReady(): void {
    this.#upSince = new Date();
  }

  pipelinesStopping(): void {
    this.#upSince = undefined;
  }

  /** Kept for the snapshot; the answer says only whether the pipelines run, as in the reference collector. */
  statusChanged(key: string, status: ComponentStatus): void {
    if ('error' in status) this.#unhealthy.set(key, `${status.kind}: ${status.error.message}`);
    else this.#unhealthy.delete(key);
  }

  #answer(): HttpReply {
    const since = this.#upSince;
    const custom = this.#config.response_body;
    if (custom === undefined) return serverAvailableReply(since?.getTime());
    return since === undefined ? { status: 503, body: custom.unhealthy } : { status: 200, body: custom.healthy };
  }
}
