import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Limit } from '@clew/base';
import { untilDrained } from '../downstream/drained.ts';
import { FrameReader, closeCodes, closeFrame } from './frames.ts';
import type { Frame, Violation } from './frames.ts';

/** What becomes of a frame. */
export type FrameRuling =
  | { readonly kind: 'pass' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** Who decides about frames. */
export interface FrameJudge {
  /** The largest payload a frame may have. */
  readonly limit: Limit;
  /** Whether anybody wants to see frames; when nobody does any more, bytes pass as they come. */
  readonly interested: boolean;
  /** Never rejects. */
  judge(frame: Frame, clientToServer: boolean, index: number): Promise<FrameRuling>;
  /** One side broke the rules, and both are closed. */
  onViolation(violation: Violation, clientToServer: boolean): void;
}

/** How long the sides have to end after they were told to close. */
const closeLingerMs = 2000;

/**
 * Carries frames between a client and a server and has each judged before it goes on, as it came. A side is read only as fast as frames are
 * judged and the other takes them.
 */
export class InspectedPipe {
  readonly #client: Duplex;
  readonly #server: Duplex;
  readonly #judge: FrameJudge;
  #closed = false;

  constructor(client: Duplex, server: Duplex, judge: FrameJudge) {
    this.#client = client;
    this.#server = server;
    this.#judge = judge;
  }

  /** Begins; `first` is what the client has sent already. */
  start(first: Buffer): void {
    void this.#carry(this.#client, this.#server, new FrameReader(true, this.#judge.limit), first);
    void this.#carry(this.#server, this.#client, new FrameReader(false, this.#judge.limit), Buffer.alloc(0));
  }

  async #carry(source: Duplex, sink: Duplex, reader: FrameReader, first: Buffer): Promise<void> {
    const lane = new Lane(source === this.#client, reader, sink);
    try {
      if (first.length > 0) await this.#take(lane, first);
      // Destroying the socket when it has nothing more to say would keep it from hearing the rest.
      for await (const chunk of source.iterator({ destroyOnReturn: false })) await this.#take(lane, chunk as Buffer);
      if (!this.#closed) sink.end();
    } catch {
      // A side is gone; whoever joined them sees that.
      source.destroy();
      sink.destroy();
    }
  }

  async #take(lane: Lane, chunk: Buffer): Promise<void> {
    if (this.#closed || lane.ended) return;
    if (!this.#judge.interested) return lane.write(Buffer.concat([lane.reader.takeRest(), chunk]));
    lane.reader.push(chunk);
    for (let next = lane.reader.next(); next !== undefined; next = lane.reader.next()) {
      if (next.kind === 'violation') {
        this.#judge.onViolation(next, lane.clientToServer);
        this.#close(next.closeCode, next.message);
      } else await this.#pass(lane, next);
      if (this.#closed || lane.ended) return;
    }
  }

  async #pass(lane: Lane, frame: Frame): Promise<void> {
    const ruling = lane.dropping(frame) ? dropped : await this.#judge.judge(frame, lane.clientToServer, lane.frames++);
    if (this.#closed || lane.ended) return;
    switch (ruling.kind) {
      case 'pass':
        return lane.write(frame.bytes);
      case 'drop':
        // The beginning of the message is on its way: without its end nothing else could follow.
        if (frame.type === 'continuation' && !lane.drops)
          this.#close(closeCodes.policyViolation, 'a message was refused');
        else lane.drop(frame);
        return;
      case 'close':
        this.#close(ruling.code, ruling.reason);
    }
  }

  #close(code: number, reason: string): void {
    this.#closed = true;
    this.#client.end(closeFrame(code, reason));
    this.#server.end(closeFrame(code, reason, randomBytes(4)));
    // What still comes is read and dropped, so that both sides can end by themselves.
    setTimeout(() => {
      this.#client.destroy();
      this.#server.destroy();
    }, closeLingerMs).unref();
  }
}

const dropped: FrameRuling = Object.freeze({ kind: 'drop' });

/** One direction. */
class Lane {
  readonly clientToServer: boolean;
  readonly reader: FrameReader;
  readonly #sink: Duplex;
  /** How many frames were judged. */
  frames = 0;
  /** Whether the rest of a message goes the way of its beginning. */
  drops = false;

  constructor(clientToServer: boolean, reader: FrameReader, sink: Duplex) {
    this.clientToServer = clientToServer;
    this.reader = reader;
    this.#sink = sink;
  }

  /** Whether the sink takes nothing any more: what still comes is read and dropped. */
  get ended(): boolean {
    return !this.#sink.writable;
  }

  /** Whether the frame belongs to a message whose beginning was dropped. */
  dropping({ type }: Frame): boolean {
    return this.drops && type === 'continuation';
  }

  drop({ type, isFinal }: Frame): void {
    if (type === 'text' || type === 'binary' || type === 'continuation') this.drops = !isFinal;
  }

  /** Resolves when the sink wants more, or never will. */
  async write(bytes: Buffer): Promise<void> {
    if (bytes.length > 0 && !this.#sink.write(bytes)) await untilDrained(this.#sink);
  }
}
