import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { platform } from 'node:os';
import { kernelDrops } from './kernel-drops.ts';
import type { UdpMessage, UdpRequest } from './messages.ts';
import { PacketBuffer } from './packet-buffer.ts';
import type { PacketDropReason } from './types.ts';

/** Batches the other thread may have at once: one that it works on, one that waits. */
const maxBatchesOut = 2;
/** Drops are told this often at most, and the kernel's are looked for this often. */
const reportEveryMs = 250;

type OpenRequest = Extract<UdpRequest, { readonly kind: 'open' }>;
type Post = (message: UdpMessage, transfer?: ArrayBuffer[]) => void;

/**
 * One UDP socket in the thread that does nothing but receive, so that no garbage collection or decoding elsewhere lets the kernel's
 * buffer run full. A hot path, guarded by `bench/udp`.
 */
export class WorkerSocket {
  readonly #request: OpenRequest;
  readonly #post: Post;
  readonly #socket: Socket;
  readonly #waiting: PacketBuffer[] = [];
  readonly #dropped: Record<PacketDropReason, number> = { queue_full: 0, packet_too_large: 0, kernel: 0 };
  #filling = new PacketBuffer();
  /** Datagrams that wait here or were handed over and not taken yet. */
  #queued = 0;
  #queuedBytes = 0;
  #batchesOut = 0;
  #flushing = false;
  #kernelDropsSeen = 0;
  #port = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(request: OpenRequest, post: Post) {
    this.#request = request;
    this.#post = post;
    this.#socket = createSocket({ type: isIPv6(request.host) ? 'udp6' : 'udp4' });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    this.#socket.on('message', (packet) => this.#onPacket(packet));
  }

  open(): void {
    const { host, port, receiveBufferBytes } = this.#request;
    this.#socket.bind({ address: host, port, exclusive: true }, () => {
      this.#enlargeBuffer(receiveBufferBytes);
      const address = this.#socket.address();
      this.#port = address.port;
      this.#kernelDropsSeen = kernelDrops(address.port) ?? 0;
      this.#timer = setInterval(() => this.#report(), reportEveryMs);
      this.#post({
        kind: 'opened',
        id: this.#request.id,
        host: address.address,
        port: address.port,
        receiveBufferBytes: usableBytes(this.#socket.getRecvBufferSize()),
      });
    });
  }

  taken(packets: number, bytes: number): void {
    this.#queued -= packets;
    this.#queuedBytes -= bytes;
    this.#batchesOut--;
    this.#flush();
  }

  /** Stops receiving; what was received is still handed over. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#report();
    clearInterval(this.#timer);
    this.#socket.close(() => this.#flush());
  }

  #onPacket(packet: Uint8Array): void {
    if (packet.length > this.#request.maxPacketBytes) {
      this.#dropped.packet_too_large++;
      return;
    }
    const { maxQueuedPackets, maxQueuedBytes } = this.#request;
    if (this.#queued >= maxQueuedPackets || this.#queuedBytes + packet.length > maxQueuedBytes) {
      this.#dropped.queue_full++;
      return;
    }
    if (this.#filling.isFullFor(packet.length)) {
      this.#waiting.push(this.#filling);
      this.#filling = new PacketBuffer();
    }
    this.#filling.append(packet);
    this.#queued++;
    this.#queuedBytes += packet.length;
    if (this.#flushing || this.#batchesOut >= maxBatchesOut) return;
    this.#flushing = true;
    // After the other datagrams that the kernel has ready.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    while (this.#batchesOut < maxBatchesOut) {
      let next = this.#waiting.shift();
      if (next === undefined) {
        if (this.#filling.count === 0) break;
        next = this.#filling;
        this.#filling = new PacketBuffer();
      }
      this.#batchesOut++;
      const batch = next.take();
      this.#post({ kind: 'packets', id: this.#request.id, ...batch }, [batch.bytes.buffer, batch.ends.buffer]);
    }
    if (this.#closing && this.#batchesOut === 0) this.#post({ kind: 'closed', id: this.#request.id });
  }

  #report(): void {
    const drops = kernelDrops(this.#port) ?? 0;
    this.#dropped.kernel += Math.max(0, drops - this.#kernelDropsSeen);
    this.#kernelDropsSeen = drops;
    for (const reason of Object.keys(this.#dropped) as PacketDropReason[]) {
      const packets = this.#dropped[reason];
      if (packets === 0) continue;
      this.#dropped[reason] = 0;
      this.#post({ kind: 'dropped', id: this.#request.id, reason, packets });
    }
  }

  #enlargeBuffer(bytes: number): void {
    try {
      this.#socket.setRecvBufferSize(bytes);
    } catch {
      // Linux gives as much as it may, others give nothing: either way the size that is reported tells, and the owner says so.
    }
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#post({ kind: 'failed', id: this.#request.id, code: error.code ?? '', message: error.message });
  }
}

/** Linux doubles what was asked for, to cover its own bookkeeping, and reports the double (socket(7), SO_RCVBUF). */
function usableBytes(reported: number): number {
  return platform() === 'linux' ? Math.floor(reported / 2) : reported;
}
