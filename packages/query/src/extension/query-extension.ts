import type { Telemetry } from '@clew/base';
import { acquireListener, formatAddress, resolveHttpServer } from '@clew/net';
import type { ListenerLease } from '@clew/net';
import { SINGLE_TENANT } from '@clew/pipeline';
import type { Component, Host } from '@clew/pipeline';
import { StoreReader, isClewStorage } from '@clew/store';
import type { ClewStorage } from '@clew/store';
import type { FastifyInstance } from 'fastify';
import { clewRoutes } from '../clew/routes.ts';
import { QueryError } from '../errors.ts';
import { jaegerRoutes } from '../jaeger/routes.ts';
import { storeSource } from '../jaeger/store-source.ts';
import { opsRoutes } from '../ops/routes.ts';
import type { Readiness } from '../ops/routes.ts';
import { createApp } from '../server/app.ts';
import { servePage } from '../server/page.ts';
import type { QueryConfig } from './config.ts';
import type { ProgramView } from './program.ts';

/** How long answers in flight may take when the extension stops. */
const drainGraceMs = 5_000;

/** The query server: APIs and page on one port. It answers before the store is ready, and says so. */
export class QueryExtension implements Component {
  readonly #id: string;
  readonly #config: QueryConfig;
  readonly #program: ProgramView;
  readonly #telemetry: Telemetry;
  #lease: ListenerLease | undefined;
  #app: FastifyInstance | undefined;
  #endStreams: (() => void) | undefined;
  #readiness: Readiness = { ready: false, reason: 'the storage is starting' };

  constructor(id: string, config: QueryConfig, program: ProgramView, telemetry: Telemetry) {
    this.#id = id;
    this.#config = config;
    this.#program = program;
    this.#telemetry = telemetry;
  }

  async start(host: Host): Promise<void> {
    if (this.#lease !== undefined) return;
    const storage = host.capability(isClewStorage);
    if (storage === undefined) {
      throw new QueryError(
        'no_storage',
        `${this.#id} has nothing to read from: add clew_storage before it to service::extensions`,
      );
    }
    this.#watch(storage);
    const app = await createApp(this.#program.version);
    this.#app = app;
    const settings = resolveHttpServer(this.#config.http);
    const { base_path: basePath } = this.#config;
    await app.register((scope) => Promise.resolve(this.#routes(scope, storage)), {
      prefix: basePath === '/' ? '' : basePath,
    });
    servePage(app, this.#program.page, basePath);
    await app.ready();
    const lease = await acquireListener({
      endpoint: settings.endpoint,
      owner: this.#id,
      connections: settings.connections,
      ...(settings.tls ? { tls: settings.tls } : {}),
      onNotice: (text) => this.#telemetry.logger.warn(text, { extension: this.#id }),
    });
    this.#lease = lease;
    lease.mountNode({ paths: ['/*'], handle: (request, response) => app.routing(request as never, response as never) });
    this.#telemetry.logger.info('Query server listens', { endpoint: formatAddress(lease.address) });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    this.#endStreams?.();
    await lease?.release({ graceMs: deadline.aborted ? 0 : drainGraceMs });
    await this.#app?.close();
    this.#app = undefined;
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { address: this.#lease ? formatAddress(this.#lease.address) : undefined, readiness: this.#readiness };
  }

  #routes(app: FastifyInstance, storage: ClewStorage): void {
    const { limits, jaeger } = this.#config;
    const readiness = () => this.#readinessOf(storage);
    const reader = new StoreReader(storage.client, storage.pending, {
      maxSpansPerRead: limits.max_trace_spans,
      maxSearchMs: limits.max_search_time,
    });
    opsRoutes(app, this.#program, readiness);
    jaegerRoutes(app, storeSource(reader, SINGLE_TENANT), {
      maxClockSkewNano: BigInt(Math.round(jaeger.max_clock_skew_adjustment * 1e6)),
      maxTraceSpans: jaeger.max_trace_size,
    });
    this.#endStreams = clewRoutes(app, {
      reader,
      storage,
      program: this.#program,
      tenant: SINGLE_TENANT,
      limits: { maxTraceSpans: limits.max_trace_spans, maxDetailSpans: limits.max_detail_spans },
      readiness,
    });
  }

  /** Ready is what has started and has an engine that runs now. */
  #readinessOf(storage: ClewStorage): Readiness {
    if (!this.#readiness.ready) return this.#readiness;
    const { state } = storage.client.snapshot();
    return state.kind === 'ready' ? this.#readiness : { ready: false, reason: `the storage engine is ${state.kind}` };
  }

  #watch(storage: ClewStorage): void {
    storage.ready.then(
      () => (this.#readiness = { ready: true }),
      (caught: unknown) => {
        this.#readiness = { ready: false, reason: caught instanceof Error ? caught.message : String(caught) };
      },
    );
  }
}
