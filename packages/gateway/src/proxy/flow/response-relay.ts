// Hot path: passes a response on to the client. Guarded by bench/gateway.
import { errorMessage } from '@clew/base';
import type { BodyInspection, BodyStep } from '../../agents/index.ts';
import type { Downstream } from '../downstream/downstream.ts';
import type { Exchange } from '../exchange.ts';
import { countBodyBytes } from '../body-garbage.ts';
import type { ResponseHead } from '../headers/forward-response.ts';

/** Where a response comes from. */
export interface RelaySource {
  pause(): void;
  resume(): void;
}

/** Whom a relay tells. */
export interface RelayListener {
  /** Agents spoke about a piece. Returns false when the response must not go on; the listener then sees to the rest. */
  onResponseStep(step: BodyStep): boolean;
  /** Makes the head ready to be sent; the last chance to change it. Returns false when it could not be sent. */
  onSendHead(head: ResponseHead): boolean;
  onRelayBroken(message: string): void;
}

/** What a relay does besides passing bytes on. */
export interface RelayOptions {
  readonly downstream: Downstream;
  readonly exchange: Exchange;
  readonly head: ResponseHead;
  readonly source: RelaySource;
  readonly listener: RelayListener;
  /** Pieces are shown to agents first. */
  readonly inspection?: BodyInspection;
  /** Up to this many bytes are gathered before anything is sent; 0 = none. */
  readonly gatherBytes: number;
}

/** One response on its way. The source is stopped as long as the client, or an agent, is slow. */
export class ResponseRelay {
  readonly #options: RelayOptions;
  #headSent = false;
  #clientSlow = false;
  /** Pieces that wait: for agents, or for the rest of a gathered response. */
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #gathering: boolean;
  #inspecting = false;
  #sourceEnded = false;
  #over = false;
  #trailers: readonly string[] = [];

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#gathering = options.gatherBytes > 0 && options.inspection === undefined;
  }

  get headSent(): boolean {
    return this.#headSent;
  }

  /** Sends the head where nothing can change it any more. */
  begin(): void {
    if (!this.#gathering && this.#options.inspection === undefined) this.#sendHead();
  }

  /** Takes a piece from the source. */
  data(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#options.inspection !== undefined) {
      this.#waiting.push(chunk);
      this.#inspect();
    } else if (this.#gathering) this.#gather(chunk);
    else this.#write(chunk);
  }

  /** Takes the whole body, one byte a character. */
  text(body: string): void {
    if (this.#over) return;
    if (this.#gathering || this.#options.inspection !== undefined) this.data(Buffer.from(body, 'latin1'));
    else {
      this.#count(body.length);
      this.#wrote(this.#options.downstream.writeLatin1(body));
    }
  }

  /** The source has given everything. */
  end(trailers: readonly string[]): void {
    this.#sourceEnded = true;
    this.#trailers = trailers;
    if (this.#over) return;
    if (this.#options.inspection !== undefined) this.#inspect();
    else {
      if (this.#gathering) this.#release(this.#waitingBytes);
      this.#finish();
    }
  }

  /** Nothing may follow. */
  stop(): void {
    this.#over = true;
    this.#waiting.length = 0;
  }

  /** The client takes more. */
  drained(): void {
    this.#clientSlow = false;
    if (!this.#inspecting) this.#options.source.resume();
  }

  #gather(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > this.#options.gatherBytes) this.#release(undefined);
  }

  /** Sends what was gathered; `wholeBytes` when it is everything. */
  #release(wholeBytes: number | undefined): void {
    this.#gathering = false;
    const { head } = this.#options;
    if (wholeBytes !== undefined && head.contentLength < 0 && this.#trailers.length === 0) {
      head.contentLength = wholeBytes;
      head.headers.push('Content-Length', String(wholeBytes));
    }
    this.#sendHead();
    for (const chunk of this.#waiting.splice(0)) this.#write(chunk);
  }

  #sendHead(): void {
    if (this.#headSent || this.#over) return;
    this.#headSent = true;
    const { listener, head } = this.#options;
    if (!listener.onSendHead(head)) this.stop();
  }

  #write(chunk: Buffer): void {
    if (this.#over) return;
    this.#count(chunk.length);
    this.#wrote(this.#options.downstream.write(chunk));
  }

  #count(bytes: number): void {
    this.#options.exchange.responseBodyBytes += bytes;
    countBodyBytes(bytes);
  }

  #wrote(ready: boolean): void {
    if (ready) return;
    this.#clientSlow = true;
    this.#options.source.pause();
  }

  #finish(): void {
    if (this.#over) return;
    this.#sendHead();
    if (this.#over) return;
    this.#over = true;
    this.#options.downstream.end(this.#trailers);
  }

  #inspect(): void {
    if (this.#inspecting) return;
    this.#inspecting = true;
    this.#options.source.pause();
    this.#inspectAll().then(
      () => {
        this.#inspecting = false;
        if (this.#over) return;
        if (this.#waiting.length > 0 || this.#sourceEnded) this.#inspect();
        else if (!this.#clientSlow) this.#options.source.resume();
      },
      (caught: unknown) => this.#options.listener.onRelayBroken(errorMessage(caught)),
    );
  }

  async #inspectAll(): Promise<void> {
    const { inspection, listener } = this.#options;
    while (!this.#over) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined && !this.#sourceEnded) return;
      const step = await inspection!.push(chunk ?? Buffer.alloc(0), chunk === undefined);
      if (this.#over) return;
      if (!listener.onResponseStep(step) || step.kind === 'refuse') {
        this.stop();
        return;
      }
      if (step.pieces.length > 0) this.#sendHead();
      for (const piece of step.pieces) this.#write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      if (chunk === undefined) this.#finish();
    }
  }
}
