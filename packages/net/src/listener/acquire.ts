import { isDeepStrictEqual } from 'node:util';
import { NetError } from '../errors.ts';
import { resolveConnectionSettings } from './connection-defaults.ts';
import { formatAddress } from './endpoint.ts';
import type { InFlight } from './in-flight.ts';
import type { RouteOwner } from './mounts.ts';
import { SharedListener } from './shared-listener.ts';
import type { HttpMount, ListenerLease, ListenerOptions, ListenerSnapshot, NodeMount, BoundAddress } from './types.ts';
import type { GrpcService } from '../grpc/service.ts';

/** What an entry of the registry is doing: opening and open, or closing. */
type Entry =
  | { readonly kind: 'open'; readonly options: ListenerOptions; readonly listener: Promise<SharedListener> }
  | { readonly kind: 'closing'; readonly closed: Promise<void> };

const registry = new Map<string, Entry>();

/** How long requests may run on when an owner leaves, unless it says otherwise. */
const defaultGraceMs = 10_000;

/**
 * Listens, or joins those who already listen on the same endpoint in this process.
 *
 * Fails with `NetError`: `port_in_use` (names the holder when it can be found), `listen_failed`, `tls_config`,
 * `listener_conflict` when another owner listens there with different TLS settings.
 */
export async function acquireListener(options: ListenerOptions): Promise<ListenerLease> {
  const key = keyOf(options);
  if (key === undefined) return new Lease(await SharedListener.open(options), options, undefined);
  for (;;) {
    const entry = registry.get(key);
    if (entry?.kind === 'closing') {
      await entry.closed;
      continue;
    }
    if (!entry) return openFirst(key, options);
    checkCompatible(entry.options, options);
    const listener = await entry.listener;
    // It may have begun to close while this owner waited for it to open.
    if (listener.state === 'listening') return new Lease(listener, options, key);
  }
}

async function openFirst(key: string, options: ListenerOptions): Promise<ListenerLease> {
  const listener = SharedListener.open(options);
  registry.set(key, { kind: 'open', options, listener });
  try {
    return new Lease(await listener, options, key);
  } catch (caught) {
    registry.delete(key);
    throw caught;
  }
}

/** Port 0 means "any free one", so nobody else can mean the same. */
function keyOf({ endpoint }: ListenerOptions): string | undefined {
  return endpoint.transport !== 'unix' && endpoint.port === 0 ? undefined : formatAddress(endpoint);
}

function checkCompatible(first: ListenerOptions, second: ListenerOptions): void {
  const address = formatAddress(second.endpoint);
  if (!isDeepStrictEqual(first.tls, second.tls)) {
    const message = `${second.owner} cannot share ${address} with ${first.owner}: their tls settings differ; make them equal or use another port`;
    throw new NetError('listener_conflict', message);
  }
  const same = isDeepStrictEqual(
    resolveConnectionSettings(first.connections),
    resolveConnectionSettings(second.connections),
  );
  if (!same) {
    second.onNotice?.(`${second.owner} shares ${address} with ${first.owner}, whose connection settings hold for both`);
  }
}

class Lease implements ListenerLease {
  readonly #listener: SharedListener;
  readonly #options: ListenerOptions;
  readonly #key: string | undefined;
  readonly #owner: RouteOwner;
  readonly #inFlight: InFlight;
  readonly #unmounts = new Set<() => void>();
  #released: Promise<void> | undefined;

  constructor(listener: SharedListener, options: ListenerOptions, key: string | undefined) {
    this.#listener = listener;
    this.#options = options;
    this.#key = key;
    this.#inFlight = listener.join(options);
    this.#owner = { name: options.owner, inFlight: this.#inFlight };
  }

  get address(): BoundAddress {
    return this.#listener.address;
  }

  mountHttp(mount: HttpMount): () => void {
    return this.#mount(this.#listener.mounts.addHttp(mount, this.#owner));
  }

  mountNode(mount: NodeMount): () => void {
    return this.#mount(this.#listener.mounts.addNode(mount, this.#owner));
  }

  mountGrpc(service: GrpcService): () => void {
    return this.#mount(this.#listener.mounts.addGrpc(service, this.#owner));
  }

  release(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#released ??= this.#release(options.graceMs ?? defaultGraceMs);
    return this.#released;
  }

  snapshot(): ListenerSnapshot {
    return this.#listener.snapshot();
  }

  #mount(unmount: () => void): () => void {
    const once = (): void => {
      if (this.#unmounts.delete(once)) unmount();
    };
    this.#unmounts.add(once);
    return once;
  }

  async #release(graceMs: number): Promise<void> {
    const last = this.#listener.leave(this.#options);
    for (const unmount of this.#unmounts) unmount();
    if (!last) {
      await this.#inFlight.drain(graceMs);
      this.#listener.forget(this.#inFlight);
      return;
    }
    const closed = this.#listener.close(graceMs);
    if (this.#key !== undefined) registry.set(this.#key, { kind: 'closing', closed });
    await closed;
    if (this.#key !== undefined) registry.delete(this.#key);
  }
}
