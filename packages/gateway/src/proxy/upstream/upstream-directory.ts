import type { UpstreamConfig } from '../../config/model/upstream.ts';
import type { GatewayObserver } from '../observer.ts';
import { HostResolver } from './resolver.ts';
import { Upstream } from './upstream.ts';
import type { UpstreamSnapshot } from './upstream.ts';

/** All upstreams of a gateway. Those a new configuration leaves as they are keep connections, health and circuit. */
export class UpstreamDirectory {
  readonly #observer: GatewayObserver;
  readonly #resolver: HostResolver;
  readonly #probes: boolean;
  #started = false;
  readonly #retiring = new Set<Upstream>();
  #upstreams = new Map<string, Upstream>();

  /** Without `probes` upstreams are not probed: another thread does. */
  constructor(observer: GatewayObserver, resolver: HostResolver = new HostResolver(), probes = true) {
    this.#probes = probes;
    this.#observer = observer;
    this.#resolver = resolver;
  }

  /**
   * Takes over a configuration; upstreams that changed or are gone close when their requests are over. `circuits` are those that threads
   * share; without them each upstream has its own.
   */
  apply(configs: ReadonlyMap<string, UpstreamConfig>, circuits?: ReadonlyMap<string, SharedArrayBuffer>): void {
    const next = new Map<string, Upstream>();
    for (const [id, config] of configs) {
      const present = this.#upstreams.get(id);
      if (present?.isLike(config) === true) {
        next.set(id, present);
        continue;
      }
      const upstream = new Upstream(config, this.#resolver, this.#observer, circuits?.get(id));
      if (this.#probes && this.#started) upstream.start();
      next.set(id, upstream);
    }
    for (const [id, upstream] of this.#upstreams) if (next.get(id) !== upstream) void this.#retire(upstream);
    this.#upstreams = next;
  }

  /** Begins to probe. */
  start(): void {
    this.#started = true;
    if (this.#probes) for (const upstream of this.#upstreams.values()) upstream.start();
  }

  get(id: string): Upstream | undefined {
    return this.#upstreams.get(id);
  }

  snapshot(): UpstreamSnapshot[] {
    return [...this.#upstreams.values()].map((upstream) => upstream.snapshot());
  }

  /** Ends everything now. */
  destroy(): void {
    const all = [...this.#upstreams.values(), ...this.#retiring];
    this.#upstreams.clear();
    for (const upstream of all) upstream.destroy();
  }

  async #retire(upstream: Upstream): Promise<void> {
    this.#retiring.add(upstream);
    await upstream.retire();
    this.#retiring.delete(upstream);
  }
}
