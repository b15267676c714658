import type { BodyChunk } from '../message.ts';
import { takeOutcome } from './outcome.ts';
import type { Outcome, Participant } from './participant.ts';
import { EffectCollector } from './verdict.ts';
import type { ChainEffects, Refusal } from './verdict.ts';
import { GatewayError } from '../../errors.ts';

/** Whose body. */
export type BodyDirection = 'request' | 'response';

/** What came of a piece of a body. */
export type BodyStep = ChainEffects &
  (
    | {
        readonly kind: 'pass';
        /** What may be sent on now: nothing, what was held back, what agents made of it. */
        readonly pieces: readonly Uint8Array[];
      }
    | { readonly kind: 'refuse'; readonly refusal: Refusal }
  );

interface Chunk {
  readonly index: number;
  data: Uint8Array;
}

/**
 * Shows a body to the agents that want to see it, piece by piece and in order. Pieces are held back until the agents
 * have them all (`buffer`), until there are enough (`hybrid`), or only for their verdict (`stream`); an agent that wants
 * to see more before it decides holds back what came before. What is held never exceeds the agents' limits.
 *
 * The length of the body may change: it must be sent without the Content-Length it came with.
 */
export class BodyInspection {
  readonly #direction: BodyDirection;
  readonly #totalBytes: number | undefined;
  #participants: readonly Participant[];
  /** Not shown to agents yet. */
  #unseen: Uint8Array[] = [];
  #unseenBytes = 0;
  /** Shown, but somebody has not made up their mind. */
  #undecided: Chunk[] = [];
  #seenBytes = 0;
  #nextIndex = 0;
  #ended = false;
  #mayRelease = true;

  constructor(direction: BodyDirection, participants: readonly Participant[], totalBytes: number | undefined) {
    this.#direction = direction;
    this.#participants = participants;
    this.#totalBytes = totalBytes;
  }

  /** Whether nothing is sent on before the whole body is here: the head can still be changed by its verdict. */
  get holdsAll(): boolean {
    return this.#holdBytes === Number.POSITIVE_INFINITY;
  }

  /**
   * Takes a piece; the last may be empty. One at a time: the next may come when this one has resolved, which is what
   * makes a slow agent slow the sender down. Nothing comes after a refusal. Never rejects.
   */
  async push(data: Uint8Array, isLast: boolean): Promise<BodyStep> {
    if (this.#ended) throw new GatewayError('closed', 'the body has ended; no further piece can be inspected');
    this.#ended = isLast;
    const effects = new EffectCollector();
    this.#unseen.push(data);
    this.#unseenBytes += data.length;
    const refusal = this.#enforceLimits() ?? (await this.#show(isLast, effects));
    if (refusal !== undefined) {
      this.#ended = true;
      return { kind: 'refuse', refusal, ...effects.effects() };
    }
    return { kind: 'pass', pieces: this.#released(), ...effects.effects() };
  }

  get #event(): 'request_body' | 'response_body' {
    return `${this.#direction}_body`;
  }

  /** How much is held before agents are shown anything. */
  get #holdBytes(): number {
    let most = 0;
    for (const participant of this.#participants) {
      const mode = this.#modeOf(participant);
      if (mode.kind === 'buffer') return Number.POSITIVE_INFINITY;
      if (mode.kind === 'hybrid') most = Math.max(most, mode.bufferBytes);
    }
    return most;
  }

  #modeOf({ member: { client } }: Participant): Participant['member']['client']['settings']['requestBodyMode'] {
    const { requestBodyMode, responseBodyMode } = client.settings;
    return this.#direction === 'request' ? requestBodyMode : responseBodyMode;
  }

  #enforceLimits(): Refusal | undefined {
    const bytes = this.#seenBytes + this.#unseenBytes;
    for (const participant of this.#participants) {
      if (bytes <= participant.member.maxBodyBytes(this.#direction)) continue;
      const outcome = participant.refuseBody(this.#direction, bytes);
      const refusal = takeOutcome(participant, outcome, false, new EffectCollector());
      if (refusal !== undefined) return refusal;
    }
    this.#dropLeftOut();
    return undefined;
  }

  async #show(isLast: boolean, effects: EffectCollector): Promise<Refusal | undefined> {
    if (!isLast && this.#seenBytes + this.#unseenBytes <= this.#holdBytes) return undefined;
    for (const data of this.#takeChunks(isLast)) {
      if (this.#participants.length === 0) {
        this.#undecided.push({ index: this.#nextIndex++, data });
        continue;
      }
      this.#seenBytes += data.length;
      const refusal = await this.#showChunk(data, isLast && this.#unseenBytes === 0, effects);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** Cuts what has not been shown into pieces the agents like; an empty last piece is one too. */
  *#takeChunks(isLast: boolean): Generator<Uint8Array> {
    const [only, ...more] = this.#unseen;
    const bytes = only !== undefined && more.length === 0 ? only : Buffer.concat(this.#unseen, this.#unseenBytes);
    const size = Math.min(...this.#participants.map(({ member }) => member.client.chunkBytes));
    this.#unseen = [];
    for (let at = 0; at < bytes.length || (isLast && at === 0); at += size) {
      const data = bytes.subarray(at, at + size);
      this.#unseenBytes -= data.length;
      yield data;
    }
  }

  async #showChunk(data: Uint8Array, isLast: boolean, effects: EffectCollector): Promise<Refusal | undefined> {
    const chunk: BodyChunk = {
      data,
      index: this.#nextIndex++,
      isLast,
      bytesSoFar: this.#seenBytes,
      ...(this.#totalBytes === undefined ? {} : { totalBytes: this.#totalBytes }),
    };
    this.#undecided.push({ index: chunk.index, data });
    let decided = true;
    for (const participant of this.#participants) {
      const { client, timeoutMs } = participant.member;
      const limitMs = this.#modeOf(participant).kind === 'buffer' ? timeoutMs : client.settings.chunkTimeoutMs;
      const asked = await participant.ask({ kind: this.#event, chunk }, limitMs);
      const outcome = this.#mutate(participant, asked);
      const refusal = takeOutcome(participant, outcome, !isLast, effects);
      if (refusal !== undefined) return refusal;
      if (outcome.kind === 'answered' && outcome.answer.needsMore && !isLast) decided = false;
    }
    this.#dropLeftOut();
    this.#mayRelease = decided || this.#participants.length === 0;
    return undefined;
  }

  /**
   * Replaces a piece that was not sent on yet; the last agent that does so wins. To ask for another piece is a failure:
   * the agent relies on a change that cannot be made.
   */
  #mutate(participant: Participant, outcome: Outcome): Outcome {
    if (outcome.kind !== 'answered') return outcome;
    const { requestBodyMutation, responseBodyMutation } = outcome.answer;
    const mutation = this.#direction === 'request' ? requestBodyMutation : responseBodyMutation;
    if (mutation?.replacement === undefined) return outcome;
    const chunk = this.#undecided.find(({ index }) => index === mutation.chunkIndex);
    if (chunk === undefined) {
      const text = `the agent replaces piece ${mutation.chunkIndex} of a body, which is not held any more or not here yet`;
      return participant.fail(this.#event, new GatewayError('protocol', text));
    }
    chunk.data = mutation.replacement;
    return outcome;
  }

  #dropLeftOut(): void {
    this.#participants = this.#participants.filter((participant) => participant.takes(this.#event));
  }

  #released(): readonly Uint8Array[] {
    if (this.#participants.length === 0) {
      const pieces = [...this.#undecided.map(({ data }) => data), ...this.#unseen];
      this.#undecided = [];
      this.#unseen = [];
      this.#unseenBytes = 0;
      return pieces.filter(({ length }) => length > 0);
    }
    if (!this.#mayRelease) return [];
    return this.#undecided.splice(0).flatMap(({ data }) => (data.length > 0 ? [data] : []));
  }
}
