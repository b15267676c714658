import { errorMessage } from '@clew/base';
import { NetError } from '../errors.ts';
import { formatAddress } from '../listener/endpoint.ts';
import { findUdpPortHolder } from '../listener/port-holder.ts';
import type { UdpMessage } from './messages.ts';
import type { PacketDropReason, UdpSnapshot, UdpSource, UdpSourceOptions } from './types.ts';
import { udpThread } from './udp-thread.ts';
import type { SocketOwner } from './udp-thread.ts';

const defaults = {
  receiveBufferBytes: 4 * 1024 * 1024,
  maxPacketBytes: 65_000,
  maxQueuedPackets: 1_000,
  maxQueuedBytes: 64 * 1024 * 1024,
} as const;
/** Pause before a lost socket is opened again. */
const reopenMs = 500;

/**
 * Receives datagrams on a thread of its own and hands them over in batches.
 *
 * Fails with `NetError`: `port_in_use` (names the holder when it can be found), `listen_failed`.
 */
export async function openUdpSource(options: UdpSourceOptions): Promise<UdpSource> {
  const source = new ThreadedSource(options);
  await source.open();
  return source;
}

type Packets = Extract<UdpMessage, { readonly kind: 'packets' }>;

class ThreadedSource implements UdpSource, SocketOwner {
  readonly #options: UdpSourceOptions;
  readonly #dropped: Record<PacketDropReason, number> = { queue_full: 0, packet_too_large: 0, kernel: 0 };
  #address: { readonly host: string; readonly port: number };
  #id = 0;
  #packets = 0;
  #bytes = 0;
  #receiveBufferBytes = 0;
  #opening: PromiseWithResolvers<void> | undefined;
  #closing: PromiseWithResolvers<void> | undefined;
  #closed: Promise<void> | undefined;
  #reopening: NodeJS.Timeout | undefined;
  #open = false;

  constructor(options: UdpSourceOptions) {
    this.#options = options;
    this.#address = options.endpoint;
  }

  get address() {
    return this.#address;
  }

  open(): Promise<void> {
    const opening = Promise.withResolvers<void>();
    this.#opening = opening;
    this.#id = udpThread.add(this);
    udpThread.post({ kind: 'open', id: this.#id, ...this.#wanted() });
    return opening.promise;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  snapshot(): UdpSnapshot {
    return {
      packetsTotal: this.#packets,
      bytesTotal: this.#bytes,
      droppedTotal: { ...this.#dropped },
      receiveBufferBytes: this.#receiveBufferBytes,
    };
  }

  onMessage(message: UdpMessage): void {
    switch (message.kind) {
      case 'opened':
        return this.#onOpened(message);
      case 'failed':
        return void this.#onFailed(message.code, message.message);
      case 'packets':
        return void this.#onPackets(message);
      case 'dropped':
        this.#dropped[message.reason] += message.packets;
        return this.#options.onDropped(message.reason, message.packets);
      case 'closed':
        this.#closing?.resolve();
    }
  }

  onLost(reason: string): void {
    this.#open = false;
    this.#closing?.resolve();
    if (this.#opening === undefined) return this.#reopenLater(reason);
    this.#opening.reject(this.#listenFailed(reason));
    this.#opening = undefined;
  }

  #wanted() {
    const { receiveBufferBytes, maxPacketBytes, maxQueuedPackets, maxQueuedBytes } = { ...defaults, ...this.#options };
    return { ...this.#address, receiveBufferBytes, maxPacketBytes, maxQueuedPackets, maxQueuedBytes };
  }

  #onOpened({ host, port, receiveBufferBytes }: Extract<UdpMessage, { readonly kind: 'opened' }>): void {
    this.#address = { host, port };
    this.#receiveBufferBytes = receiveBufferBytes;
    this.#open = true;
    this.#opening?.resolve();
    this.#opening = undefined;
    const wanted = this.#wanted().receiveBufferBytes;
    if (receiveBufferBytes >= wanted) return;
    const { owner, receiveBufferSetting, onNotice } = this.#options;
    onNotice(
      `${owner} asked for a receive buffer of ${wanted} bytes and the kernel gave ${receiveBufferBytes}: datagrams may be lost in bursts; raise net.core.rmem_max to ${wanted} (sysctl) or lower ${receiveBufferSetting}`,
    );
  }

  async #onFailed(code: string, message: string): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#open = false;
    this.#closing?.resolve();
    await udpThread.remove(this.#id);
    if (opening === undefined) return this.#reopenLater(message);
    opening.reject(code === 'EADDRINUSE' ? await this.#portInUse() : this.#listenFailed(message));
  }

  async #onPackets(batch: Packets): Promise<void> {
    const id = this.#id;
    const bytes = batch.bytes.length;
    this.#packets += batch.count;
    this.#bytes += bytes;
    try {
      await this.#options.onPackets(batch);
    } catch (caught) {
      this.#options.onNotice(`${this.#options.owner} lost ${batch.count} datagrams: ${errorMessage(caught)}`);
    } finally {
      udpThread.post({ kind: 'taken', id, packets: batch.count, bytes });
    }
  }

  /** A socket that was there and is gone comes back by itself: senders of datagrams never learn that it was away. */
  #reopenLater(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#options.onNotice(`${this.#options.owner} lost its socket (${reason}) and opens it again`);
    this.#reopening = setTimeout(() => {
      this.open().catch((error: unknown) => this.#reopenLater(errorMessage(error)));
    }, reopenMs);
  }

  async #close(): Promise<void> {
    clearTimeout(this.#reopening);
    // A socket that was lost and not opened again has nothing to close.
    if (!this.#open) return;
    this.#closing = Promise.withResolvers<void>();
    udpThread.post({ kind: 'close', id: this.#id });
    await this.#closing.promise;
    this.#open = false;
    await udpThread.remove(this.#id);
  }

  async #portInUse(): Promise<NetError> {
    const address = this.#text();
    const holder = await findUdpPortHolder(this.#address.port);
    const by = holder ? `held by ${holder}` : 'held by another process';
    const message = `${this.#options.owner} cannot listen on UDP ${address}: the address is in use, ${by}; stop it or configure another endpoint`;
    return new NetError('port_in_use', message, { details: { address, ...(holder ? { holder } : {}) } });
  }

  #listenFailed(why: string): NetError {
    const address = this.#text();
    const message = `${this.#options.owner} cannot listen on UDP ${address}: ${why}`;
    return new NetError('listen_failed', message, { details: { address } });
  }

  #text(): string {
    return formatAddress({ transport: 'tcp', ...this.#address });
  }
}
