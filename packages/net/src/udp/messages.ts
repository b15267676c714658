import type { PacketDropReason } from './types.ts';

/** What the main thread tells the thread that receives datagrams. */
export type UdpRequest =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly host: string;
      readonly port: number;
      readonly receiveBufferBytes: number;
      readonly maxPacketBytes: number;
      readonly maxQueuedPackets: number;
      readonly maxQueuedBytes: number;
    }
  /** A batch of so many datagrams was taken. */
  | { readonly kind: 'taken'; readonly id: number; readonly packets: number; readonly bytes: number }
  | { readonly kind: 'close'; readonly id: number };

/** What it answers. */
export type UdpMessage =
  | {
      readonly kind: 'opened';
      readonly id: number;
      readonly host: string;
      readonly port: number;
      readonly receiveBufferBytes: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string }
  | {
      readonly kind: 'packets';
      readonly id: number;
      readonly count: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly ends: Uint32Array<ArrayBuffer>;
    }
  | { readonly kind: 'dropped'; readonly id: number; readonly reason: PacketDropReason; readonly packets: number }
  /** Nothing more will come for this socket. */
  | { readonly kind: 'closed'; readonly id: number };
