import { z } from 'zod';

/** Settings of a UDP server; spread them into a receiver's `z.strictObject`. */
export function udpServerShape(defaults: { readonly endpoint: string }) {
  return {
    endpoint: z.string().min(1).prefault(defaults.endpoint),
    /** Datagrams that may wait to be decoded; beyond them new ones are dropped and counted. */
    queue_size: z.int().min(1).prefault(1000),
    /** Bytes of them, the same: a flood of large datagrams must not take the memory that a queue of small ones may. */
    max_queue_bytes: z
      .int()
      .min(65_535)
      .prefault(64 * 1024 * 1024),
    /** Bytes; larger datagrams are dropped and counted. Files in the wild have more than a datagram can hold, which is no limit. */
    max_packet_size: z.int().min(1).prefault(65_000),
    /** Accepted for compatibility: one thread receives, and decoding never waits for it. */
    workers: z.int().min(1).prefault(10),
    /** Bytes the kernel may hold; 0 asks for 4 MiB. */
    socket_buffer_size: z.int().min(0).prefault(0),
  };
}

/** What {@link udpServerShape} parses to. */
export type UdpServerConfig = z.output<z.ZodObject<ReturnType<typeof udpServerShape>>>;
