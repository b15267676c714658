// Hot path of requests with a body: carries it from the client to attempts. Guarded by bench/gateway.
import type { Limit } from '@clew/base';
import { errorMessage } from '@clew/base';
import type { BodyInspection, BodyStep } from '../../agents/index.ts';
import type { BodyListener, Downstream } from '../downstream/downstream.ts';
import type { Exchange } from '../exchange.ts';
import { forwardTrailers } from '../headers/trailers.ts';
import { countBodyBytes } from '../body-garbage.ts';
import type { BodySource, BodyTarget } from '../upstream/upstream-connection.ts';
import { GatewayError } from '../../errors.ts';

/** Agents refused the body, or changed what follows from it. */
export interface BodyInspector {
  readonly inspection: BodyInspection;
  /** What agents said about a piece. Returns false when the request must not go on. */
  onStep(step: BodyStep): boolean;
}

/** What a body needs besides the client. */
export interface RequestBodyOptions {
  readonly downstream: Downstream;
  readonly exchange: Exchange;
  readonly maxBytes: Limit;
  /** How much may be kept to be sent again; 0 = nothing is. */
  readonly keepBytes: number;
  /** How long the upstream may leave pieces unread. */
  readonly writeTimeoutMs: number;
  /** The body must not go on: it is too large or cannot be had. */
  onTrouble(error: GatewayError): void;
}

/**
 * A request body on its way. The client is read only as fast as the attempt takes it. What has passed is kept as long as
 * it may have to be sent again and is small enough.
 */
export class RequestBody implements BodyListener, BodySource {
  readonly #options: RequestBodyOptions;
  #inspector: BodyInspector | undefined;
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  #target: BodyTarget | undefined;
  /** An attempt has been given what was here; before, nothing may be dropped. */
  #sent = false;
  #reading = false;
  /** The client has sent everything. */
  #clientEnded = false;
  #trailers: readonly string[] = [];
  /** Everything has gone on, or is kept. */
  #ended = false;
  #failed: GatewayError | undefined;
  /** Whether a piece is with the agents. */
  #inspecting = false;
  readonly #uninspected: Buffer[] = [];
  #whenWhole: (() => void) | undefined;
  #wholeLimit: Limit | undefined;
  /** What agents have been shown. */
  #inspectedBytes = 0;
  #writeTimer: NodeJS.Timeout | undefined;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
    if (options.keepBytes > 0) this.#kept = [];
  }

  /** Whether everything sent so far can be sent again. */
  get replayable(): boolean {
    return this.#kept !== undefined;
  }

  /** Whether anything was taken from the client yet. */
  get begun(): boolean {
    return this.#reading;
  }

  /** Whether the whole body is here and kept; its length is then known. */
  get wholeBytes(): number | undefined {
    return this.#ended && this.#kept !== undefined ? this.#keptBytes : undefined;
  }

  /** Shows every piece to agents before it goes on. Before anything is read. */
  inspectWith(inspector: BodyInspector): void {
    this.#inspector = inspector;
  }

  /** Reads everything before anything is sent. `limit` bounds what is held; exceeding it is trouble. */
  gather(limit: Limit, whenWhole: () => void): void {
    this.#kept ??= [];
    this.#wholeLimit = limit;
    this.#whenWhole = whenWhole;
    this.#read();
  }

  /** Gives the body to an attempt, from its beginning. Not twice unless `replayable`. */
  sendTo(target: BodyTarget): void {
    const kept = this.#kept;
    this.#target = target;
    this.#sent = true;
    // What was gathered for agents, and is more than may be kept, goes out once.
    if (this.#keptBytes > this.#options.keepBytes) this.#kept = undefined;
    let ready = true;
    if (kept !== undefined) for (const chunk of kept) ready = target.onPiece(chunk);
    if (this.#failed !== undefined) target.onFailed(this.#failed);
    else if (this.#ended) target.onEnd(this.#trailers);
    else if (ready) this.wanted(target);
    else this.#watchWriting();
  }

  /** The attempt takes more. */
  wanted(target: BodyTarget): void {
    if (target !== this.#target || this.#ended) return;
    this.#endWatch();
    if (!this.#reading) this.#read();
    else if (!this.#inspecting) this.#options.downstream.resumeBody();
  }

  /** The attempt takes nothing more. */
  release(target: BodyTarget): void {
    if (target !== this.#target) return;
    this.#target = undefined;
    this.#endWatch();
    if (this.#reading && !this.#ended) this.#options.downstream.pauseBody();
  }

  /** Nobody wants the rest. */
  abandon(): void {
    this.#endWatch();
    this.#failed ??= new GatewayError('body_broken', 'the request is over');
    this.#target = undefined;
    this.#kept = undefined;
  }

  /** The body can never be whole: the client went away or sent what is no body. */
  fail(error: GatewayError): void {
    if (this.#failed !== undefined || this.#ended) return;
    this.#failed = error;
    this.#endWatch();
    this.#options.onTrouble(error);
    this.#target?.onFailed(error);
  }

  onBodyData(chunk: Buffer): void {
    if (this.#failed !== undefined) return;
    const { exchange, maxBytes } = this.#options;
    exchange.requestBodyBytes += chunk.length;
    countBodyBytes(chunk.length);
    if (!maxBytes.allows(exchange.requestBodyBytes)) {
      const { message } = maxBytes.exceeded(exchange.requestBodyBytes);
      this.fail(new GatewayError('body_too_large', message));
      return;
    }
    if (this.#inspector === undefined) this.#pass(chunk);
    else {
      this.#uninspected.push(chunk);
      this.#inspect();
    }
  }

  onBodyEnd(trailers: readonly string[]): void {
    this.#clientEnded = true;
    this.#trailers = forwardTrailers(trailers);
    if (this.#failed !== undefined) return;
    if (this.#inspector === undefined) this.#end();
    else this.#inspect();
  }

  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#options.downstream.readBody(this);
  }

  #pass(chunk: Buffer): void {
    if (this.#kept !== undefined) this.#keep(chunk);
    if (this.#failed !== undefined || this.#whenWhole !== undefined) return;
    if (this.#target?.onPiece(chunk) === true) return;
    this.#options.downstream.pauseBody();
    if (this.#target !== undefined) this.#watchWriting();
  }

  #keep(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    const limit = this.#wholeLimit;
    if (limit !== undefined) {
      if (limit.allows(this.#keptBytes)) this.#kept!.push(chunk);
      else this.fail(new GatewayError('body_too_large', limit.exceeded(this.#keptBytes).message));
    } else if (!this.#sent || this.#keptBytes <= this.#options.keepBytes) this.#kept!.push(chunk);
    else this.#kept = undefined;
  }

  #watchWriting(): void {
    const { writeTimeoutMs } = this.#options;
    if (writeTimeoutMs <= 0) return;
    this.#writeTimer ??= setTimeout(() => {
      this.#target?.onFailed(new GatewayError('write_timeout', `the upstream took no data for ${writeTimeoutMs} ms`));
    }, writeTimeoutMs);
  }

  #endWatch(): void {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
  }

  #end(): void {
    this.#ended = true;
    this.#endWatch();
    this.#target?.onEnd(this.#trailers);
    this.#whenWhole?.();
  }

  /** Shows what has come to the agents, a piece at a time. */
  #inspect(): void {
    if (this.#inspecting) return;
    this.#inspecting = true;
    this.#options.downstream.pauseBody();
    this.#inspectAll().then(
      () => {
        this.#inspecting = false;
        if (this.#failed !== undefined || this.#ended) return;
        if (this.#clientEnded) this.#inspect();
        else this.#options.downstream.resumeBody();
      },
      (caught: unknown) =>
        this.fail(new GatewayError('body_broken', `agents could not be asked: ${errorMessage(caught)}`)),
    );
  }

  async #inspectAll(): Promise<void> {
    const { inspection, onStep } = this.#inspector!;
    while (this.#failed === undefined && !this.#ended) {
      const chunk = this.#uninspected.shift();
      const isLast = chunk === undefined;
      // The end is reported once everything before it was shown.
      if (isLast && !this.#clientEnded) return;
      const step = await inspection.push(chunk ?? Buffer.alloc(0), isLast);
      if (!onStep(step) || step.kind === 'refuse') {
        this.#failed = new GatewayError('body_broken', 'agents refused the request');
        this.#target?.onFailed(this.#failed);
        return;
      }
      for (const piece of step.pieces) this.#pass(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      this.#inspectedBytes += chunk?.length ?? 0;
      if (isLast) this.#end();
      else if (this.#whenWhole !== undefined) this.#checkGathering(inspection);
    }
  }

  /** Whoever does not want so large a body has dropped out by now: for those that do, no more is held than may be. */
  #checkGathering({ holdsAll }: BodyInspection): void {
    const limit = this.#wholeLimit!;
    if (!holdsAll) this.#stopGathering();
    else if (!limit.allows(this.#inspectedBytes)) {
      this.fail(new GatewayError('body_too_large', limit.exceeded(this.#inspectedBytes).message));
    }
  }

  /** Agents that wanted the whole body have dropped out: what is here goes on, and the rest as it comes. */
  #stopGathering(): void {
    const proceed = this.#whenWhole;
    this.#whenWhole = undefined;
    this.#wholeLimit = undefined;
    proceed?.();
  }
}
