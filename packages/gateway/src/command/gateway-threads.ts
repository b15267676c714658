import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@clew/base';
import type { Telemetry } from '@clew/base';
import type { MetricFamily, PrometheusMeter } from '@clew/base/node';
import { canSharePorts, checkFree } from '@clew/net';
import type { GatewayConfig } from '../config/model.ts';
import type { ListenerConfig } from '../config/model/listener.ts';
import { releaseBuckets, sharedBucketMemory } from '../proxy/filters/shared-buckets.ts';
import { forgetTrialsOf, sharedCircuits } from '../proxy/server/shared-circuits.ts';
import type { SharedCircuits } from '../proxy/server/shared-circuits.ts';
import { forgetIds, sharedIdMemory } from '../proxy/server/shared-ids.ts';
import { forgetThread, sharedTallyMemory } from '../proxy/server/shared-tally.ts';
import { mergeUpstreams } from '../proxy/upstream/merge-snapshots.ts';
import type { UpstreamSnapshot } from '../proxy/upstream/upstream.ts';
import type { Environment } from '../telemetry/exporter/settings.ts';
import type { FileSinks } from '../telemetry/logs/log-sinks.ts';
import { mergeThreadFamilies, withLostThread } from '../telemetry/metrics/merge-threads.ts';
import type { GatewayIdentity } from '../telemetry/spans/resource.ts';
import { EchoFilter } from './echo-filter.ts';
import { GatewayThread } from './gateway-thread.ts';
import { GatewayUnit } from './gateway-unit.ts';
import type { SharedCounts, ThreadNews } from './gateway-unit.ts';
import type { LeaderAnswers, NewsMessage, ThreadReport } from './thread-protocol.ts';
import { forwardingLogger } from './forwarding-logger.ts';
import type { ForwardedLine } from './forwarding-logger.ts';

/** What the threads share. */
export interface GatewayThreadsOptions {
  readonly identity: GatewayIdentity;
  readonly telemetry: Telemetry & { readonly meter: PrometheusMeter };
  readonly env: Environment;
  readonly sinks: FileSinks;
  /** 0 = one for each core. */
  readonly count: number;
  readonly metricsText: () => Promise<string>;
}

/** How long a scrape waits for a thread before it takes what the thread said last. */
const REPORT_PATIENCE_MS = 1000;
const TICKET_SECRET_BYTES = 32;
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 10_000;
/** A thread that has lived for so long was not lost for how it began. */
const STABLE_MS = 60_000;

/**
 * All that serves requests: this thread, and as many others as there are to be, all on the same ports. From outside they are one: metrics
 * are added up, logs and log files are written by this thread, a configuration reaches all.
 */
export class GatewayThreads {
  readonly #options: GatewayThreadsOptions;
  readonly #others = new Map<number, GatewayThread>();
  readonly #reports = new Map<number, ThreadReport>();
  /** What threads that are gone had counted. */
  #counted: readonly MetricFamily[] = [];
  readonly #echoes = new EchoFilter();
  readonly #ending = new AbortController();
  #unit: GatewayUnit | undefined;
  #config: GatewayConfig | undefined;
  #count = 1;
  #shared: SharedCounts | undefined;
  /** Present with several threads. */
  #circuits: SharedCircuits | undefined;

  constructor(options: GatewayThreadsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** Bound ports by listener id. */
  ports(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#unit?.snapshot().listeners.map(({ id, port }) => [id, port]) ?? []);
  }

  /** The listeners of the configuration with the ports they have; none before the start. */
  listeners(): readonly ListenerConfig[] {
    const ports = this.ports();
    return (this.#config?.listeners ?? []).map((listener) => ({
      ...listener,
      address: { ...listener.address, port: ports[listener.id] ?? listener.address.port },
    }));
  }

  /** Binds all listeners in every thread; on failure nothing is left open. */
  async start(config: GatewayConfig): Promise<void> {
    this.#count = await this.#threadCount();
    const sharePorts = this.#count > 1;
    // SO_REUSEPORT alone would silently join a stranger of the same user.
    if (sharePorts) for (const listener of config.listeners) await checkFree({ transport: 'tcp', ...listener.address });
    if (sharePorts) {
      this.#shared = {
        index: 0,
        buckets: sharedBucketMemory(),
        tally: sharedTallyMemory(this.#count),
        ids: sharedIdMemory(this.#count),
        ticketSecret: randomBytes(TICKET_SECRET_BYTES),
        startedUnixMs: Date.now(),
      };
      this.#circuits = sharedCircuits(config);
    }
    this.#unit = new GatewayUnit(this.#unitOptions(sharePorts));
    this.#config = config;
    try {
      await this.#unit.start(config, this.#circuits);
      for (let index = 1; index < this.#count; index++) this.#open(index);
      await Promise.all([...this.#others.values()].map(({ started }) => started));
    } catch (error) {
      await this.stop(0, 0);
      throw error;
    }
  }

  /** Takes a new configuration in every thread; false when this one could not, and the others then were not asked. */
  async reload(config: GatewayConfig): Promise<boolean> {
    const before = this.#circuits;
    const circuits = before && sharedCircuits(config, { config: this.#config!, circuits: before });
    if (this.#unit!.reload(config, circuits).result === 'failure') return false;
    this.#circuits = circuits;
    this.#config = this.#unit!.config;
    if (circuits === undefined) return true;
    const bound = this.#boundConfig();
    await this.#tellAll('A thread did not take the new configuration.', async (thread) => {
      await thread.ask({ kind: 'reload', config: bound, circuits });
      this.#tellHealth(thread);
    });
    return true;
  }

  /** Reads certificates anew in every thread. */
  async reloadCertificates(): Promise<void> {
    this.#unit!.reloadCertificates();
    await this.#tellAll('A thread did not read certificates anew.', (thread) =>
      thread.ask({ kind: 'reloadCertificates' }),
    );
  }

  /** A new configuration cannot be used. */
  reloadFailed(report: string): void {
    this.#unit!.reloadFailed(report);
  }

  /** The metrics of all threads, sorted by name. */
  async metrics(): Promise<MetricFamily[]> {
    const reports = await this.#askAll();
    const families = reports.map((report) => report.families);
    return mergeThreadFamilies([await this.#unit!.metrics(), ...families, this.#counted]);
  }

  /** The upstreams as all threads know them. */
  async upstreams(): Promise<UpstreamSnapshot[]> {
    const reports = await this.#askAll();
    return mergeUpstreams(
      this.#unit!.snapshot().upstreams,
      reports.map(({ upstreams }) => upstreams),
    );
  }

  /** Ends all threads; tells whether all requests had finished within `limitMs`. */
  async stop(limitMs: number, flushMs: number): Promise<boolean> {
    this.#ending.abort();
    const stops = [...this.#others.values()].map((thread) => thread.stop(limitMs, flushMs));
    if (this.#unit !== undefined) stops.push(this.#unit.stop(limitMs, flushMs));
    let clean = true;
    for (const result of await Promise.allSettled(stops)) {
      if (result.status === 'fulfilled') clean &&= result.value;
      else {
        clean = false;
        this.#options.telemetry.logger.error('A thread did not stop in order.', {
          reason: errorMessage(result.reason),
        });
      }
    }
    return clean;
  }

  /** What the other threads have to report; of one that is too busy, what it said last. */
  async #askAll(): Promise<ThreadReport[]> {
    const patience = sleep(REPORT_PATIENCE_MS, undefined, { ref: false });
    const asked = [...this.#others.values()].map(async (thread) => {
      this.#reports.set(thread.index, await thread.ask({ kind: 'report' }));
    });
    // A thread that ends meanwhile has nothing to report; its end is reported by itself.
    await Promise.race([Promise.allSettled(asked), patience]);
    return [...this.#reports.values()];
  }

  async #threadCount(): Promise<number> {
    const wanted = this.#options.count === 0 ? availableParallelism() : this.#options.count;
    if (wanted === 1 || (await canSharePorts())) return wanted;
    const { logger } = this.#options.telemetry;
    logger.warn('This system cannot share ports among threads: one thread serves all requests.', { wanted });
    return 1;
  }

  /** Has all other threads do something; what goes wrong is logged as `failure`. */
  async #tellAll(failure: string, tell: (thread: GatewayThread) => Promise<unknown>): Promise<void> {
    for (const result of await Promise.allSettled([...this.#others.values()].map(tell))) {
      if (result.status === 'fulfilled') continue;
      this.#options.telemetry.logger.error(failure, { reason: errorMessage(result.reason) });
    }
  }

  #unitOptions(sharePorts: boolean) {
    const { identity, telemetry, env, sinks, metricsText } = this.#options;
    const logger = forwardingLogger((line) => this.#log(0, line));
    const share: ThreadNews = {
      healthChanged: (change) => this.#spread({ kind: 'healthChanged', change }),
    };
    const shared = this.#shared;
    const { meter } = telemetry;
    const upstreams = (): Promise<UpstreamSnapshot[]> => this.upstreams();
    return { identity, logger, meter, env, sinks, sharePorts, leads: true, shared, share, metricsText, upstreams };
  }

  /** Tells all other threads, but the one it came from. */
  #spread(news: NewsMessage, from?: GatewayThread): void {
    for (const thread of this.#others.values()) if (thread !== from) thread.send(news);
  }

  /** A thread that begins does not know what probes have found out. */
  #tellHealth(thread: GatewayThread): void {
    for (const { id: upstreamId, targets } of this.#unit!.snapshot().upstreams) {
      for (const { address: target, probed, lastError } of targets) {
        if (probed === 'unknown') continue;
        const change = { upstreamId, target, healthy: probed === 'healthy', probed: true, reason: lastError ?? '' };
        thread.send({ kind: 'healthChanged', change });
      }
    }
  }

  #open(index: number, pauseMs = FIRST_RESTART_MS): GatewayThread {
    const { identity, env } = this.#options;
    const shared = { ...this.#shared!, index };
    const openedMs = performance.now();
    const thread = new GatewayThread(
      { index, identity, env: { ...env }, shared, circuits: this.#circuits!, config: this.#boundConfig() },
      {
        message: (message, from) => this.#onMessage(message, from),
        lost: (_thread, reason) => {
          const stable = performance.now() - openedMs > STABLE_MS;
          void this.#replace(index, reason, stable ? FIRST_RESTART_MS : pauseMs);
        },
      },
    );
    this.#others.set(index, thread);
    thread.started.then(
      () => this.#tellHealth(thread),
      () => undefined, // Whoever waits for the start hears of it.
    );
    return thread;
  }

  /** A thread that ended is started again, later each time it ends early. What it had counted when it was asked last goes on to count. */
  async #replace(index: number, reason: string, pauseMs: number): Promise<void> {
    this.#others.delete(index);
    this.#counted = withLostThread(this.#counted, this.#reports.get(index)?.families ?? []);
    this.#reports.delete(index);
    forgetThread(this.#shared!.tally, index);
    forgetIds(this.#shared!.ids, index);
    forgetTrialsOf(this.#circuits!);
    releaseBuckets(this.#shared!.buckets);
    if (this.#ending.signal.aborted) return;
    this.#options.telemetry.logger.error('A thread of the gateway was lost and is started again.', { index, reason });
    try {
      await sleep(pauseMs, undefined, { signal: this.#ending.signal });
    } catch {
      return; // The gateway ends.
    }
    if (this.#ending.signal.aborted) return;
    this.#open(index, Math.min(pauseMs * 2, MAX_RESTART_MS));
  }

  #onMessage(
    message: Parameters<ConstructorParameters<typeof GatewayThread>[1]['message']>[0],
    from: GatewayThread,
  ): void {
    switch (message.kind) {
      case 'lines':
        return this.#options.sinks.forwarded(message);
      case 'healthChanged':
        this.#unit!.news.healthChanged(message.change);
        return this.#spread(message, from);
      case 'log':
        return this.#log(from.index, message.line);
      case 'askLeader':
        void this.#tell(message.about).then((value) => from.send({ kind: 'told', call: message.call, value }));
    }
  }

  #tell(about: keyof LeaderAnswers): Promise<LeaderAnswers[keyof LeaderAnswers]> {
    return about === 'metricsText' ? this.#options.metricsText() : this.upstreams();
  }

  /** All threads see the same agents and upstreams come and go: what one has said the others need not repeat. */
  #log(thread: number, line: ForwardedLine): void {
    if (!this.#echoes.isEcho(thread, line)) this.#options.telemetry.logger[line.level](line.message, line.fields);
  }

  /** The configuration with the ports that this thread has. */
  #boundConfig(): GatewayConfig {
    return { ...this.#config!, listeners: this.listeners() };
  }
}
