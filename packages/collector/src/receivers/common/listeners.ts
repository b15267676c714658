import type { Telemetry } from '@clew/base';
import { acquireListener, formatAddress } from '@clew/net';
import type { Authenticate, ListenerLease, ServerSettings } from '@clew/net';
import type { Host } from '@clew/pipeline';
import { resolveAuthenticator } from '../../auth/authenticator.ts';
import type { TransportEvents } from './transport-events.ts';

/** How long requests in flight may take when a receiver stops. */
const drainGraceMs = 10_000;

/** What a receiver asks for when it opens a port. */
export interface OpenListener {
  /** The section of the configuration, such as `grpc`: with the receiver's id the owner of the port. */
  readonly section: string;
  /** The protocol's name in snapshots, such as `otlp_grpc`. */
  readonly protocol: string;
  /** How the log names the server, such as `GRPC`. */
  readonly title: string;
  readonly settings: ServerSettings;
  readonly events: TransportEvents;
}

/** A port that is open. */
export interface OpenedListener {
  readonly lease: ListenerLease;
  readonly authenticate: Authenticate | undefined;
}

/** The TCP ports of one receiver: opened one after the other, seen in its snapshot, released together. */
export class ReceiverListeners {
  readonly #receiver: string;
  readonly #telemetry: Telemetry;
  readonly #open: { readonly protocol: string; readonly lease: ListenerLease; readonly events: TransportEvents }[] = [];

  constructor(receiver: string, telemetry: Telemetry) {
    this.#receiver = receiver;
    this.#telemetry = telemetry;
  }

  /** Opens one port. Fails with `NetError` when it cannot be had, `CollectorError` when its authenticator is missing. */
  async open({ section, protocol, title, settings, events }: OpenListener, host: Host): Promise<OpenedListener> {
    const { authenticator } = settings;
    const authenticate = authenticator === undefined ? undefined : resolveAuthenticator(host, authenticator);
    const lease = await acquireListener({
      endpoint: settings.endpoint,
      owner: `${this.#receiver}/${section}`,
      connections: settings.connections,
      ...(settings.tls ? { tls: settings.tls } : {}),
      onRejected: (reason, detail) => events.rejected(reason, detail),
      onNotice: (text) => this.#telemetry.logger.warn(text, { receiver: this.#receiver }),
    });
    this.#open.push({ protocol, lease, events });
    this.#telemetry.logger.info(`Starting ${title} server`, {
      receiver: this.#receiver,
      endpoint: formatAddress(lease.address),
    });
    return { lease, authenticate };
  }

  /** Stops accepting and waits for requests in flight, unless the deadline has passed already. */
  async release(deadline: AbortSignal): Promise<void> {
    const graceMs = deadline.aborted ? 0 : drainGraceMs;
    await Promise.all(this.#open.splice(0).map(({ lease }) => lease.release({ graceMs })));
  }

  snapshot(): readonly Readonly<Record<string, unknown>>[] {
    return this.#open.map(({ protocol, lease, events }) => ({
      protocol,
      address: formatAddress(lease.address),
      counters: events.counters,
      listener: lease.snapshot(),
    }));
  }
}
