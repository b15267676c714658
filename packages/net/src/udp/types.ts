/** Why a datagram never reached its owner. `kernel` means the socket's receive buffer was full. */
export type PacketDropReason = 'queue_full' | 'packet_too_large' | 'kernel';

/** Datagrams in the order they arrived, one after the other in one buffer. */
export interface PacketBatch {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** One past the last byte of each datagram. */
  readonly ends: Uint32Array;
}

/** What an owner asks of a UDP socket. */
export interface UdpSourceOptions {
  readonly endpoint: { readonly host: string; readonly port: number };
  /** Names the owner in errors, such as `jaeger/thrift_compact`. */
  readonly owner: string;
  /** Wanted size of the kernel's receive buffer. Default 4 MiB; less is a notice, for datagrams are lost when it is full. */
  readonly receiveBufferBytes?: number;
  /** The setting that the notice about the buffer names, such as `socket_buffer_size`. */
  readonly receiveBufferSetting: string;
  /** Datagrams larger than this are dropped. Default 65,000. */
  readonly maxPacketBytes?: number;
  /** Datagrams that wait to be taken; beyond them new ones are dropped. Default 1,000. */
  readonly maxQueuedPackets?: number;
  /** Bytes of datagrams that wait, the same. Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /**
   * Takes datagrams; until the promise settles they count as queued. Called again before that at most once, so that one batch
   * is decoded while the next is stored. A rejection is told to `onNotice` and ends nothing.
   */
  readonly onPackets: (batch: PacketBatch) => Promise<void>;
  /** Told of drops, gathered over a quarter of a second. */
  readonly onDropped: (reason: PacketDropReason, packets: number) => void;
  /** Told once of each thing worth a log line. */
  readonly onNotice: (text: string) => void;
}

/** A bound UDP socket. */
export interface UdpSource {
  readonly address: { readonly host: string; readonly port: number };
  snapshot(): UdpSnapshot;
  /** Stops receiving, waits until what was received has been taken, closes. Idempotent. */
  close(): Promise<void>;
}

/** A UDP socket, seen from outside. */
export interface UdpSnapshot {
  readonly packetsTotal: number;
  readonly bytesTotal: number;
  readonly droppedTotal: Readonly<Record<PacketDropReason, number>>;
  /** What the kernel gave, in bytes. */
  readonly receiveBufferBytes: number;
}

/** One datagram of a batch, as a view. */
export function packetAt(batch: PacketBatch, index: number): Uint8Array {
  return batch.bytes.subarray(index === 0 ? 0 : batch.ends[index - 1], batch.ends[index]);
}
