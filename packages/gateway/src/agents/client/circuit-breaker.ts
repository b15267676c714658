import type { CircuitBreakerConfig } from '../../config/model/upstream.ts';

/** Closed: calls pass. Open: none do. Half-open: a few do, to find out. */
export type CircuitState = 'closed' | 'open' | 'half_open';

/** The right to make one call. How it went has to be told, once; `neither` is a call that says nothing about the other side. */
export interface CircuitPass {
  end(outcome: 'success' | 'failure' | 'neither'): void;
}

/** What a breaker is given besides its settings. */
export interface CircuitBreakerOptions {
  /** Where the circuit is kept; breakers with the same memory, in whichever threads, are one. Default: memory of its own. */
  readonly memory?: SharedArrayBuffer | undefined;
  /** A clock that never goes back and is the same for all threads; replaced in tests. */
  readonly nowMs?: () => number;
}

/**
 * Layout, in words: the phase, which is a state in its lowest two bits and the number of changes above them; failures in a row while
 * closed; successes in a row and trials in progress while half-open; then, as 64 bits, when an open circuit may be tried, in milliseconds. Whoever
 * changes the phase does so with one exchange, and alone tells of it; what others count meanwhile belongs to the phase before and is dropped.
 */
const PHASE = 0;
const FAILURES = 1;
const SUCCESSES = 2;
const TRIALS = 3;
const OPEN_UNTIL_AT = 16;
const BYTES = 24;

const CLOSED = 0;
const OPEN = 1;
const HALF_OPEN = 2;
const STATE_MASK = 3;
const CHANGE = 4;
const states: readonly CircuitState[] = ['closed', 'open', 'half_open'];

/** Memory for a closed circuit. */
export function circuitMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(BYTES);
}

/** A thread is gone, and nobody tells any more how its trials went: others may be made in their place. */
export function forgetTrials(memory: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(memory), TRIALS, 0);
}

/** Suspends calls after too many failures in a row, and lets them through again when trials succeed. */
export class CircuitBreaker {
  readonly #settings: CircuitBreakerConfig;
  /** Told of changes that this breaker has made. */
  readonly #onChange: (state: CircuitState) => void;
  readonly #nowMs: () => number;
  readonly #words: Int32Array;
  readonly #openUntilMs: BigInt64Array;

  constructor(
    settings: CircuitBreakerConfig,
    onChange: (state: CircuitState) => void,
    { memory = circuitMemory(), nowMs = processClockMs }: CircuitBreakerOptions = {},
  ) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#nowMs = nowMs;
    this.#words = new Int32Array(memory, 0, OPEN_UNTIL_AT / Int32Array.BYTES_PER_ELEMENT);
    this.#openUntilMs = new BigInt64Array(memory, OPEN_UNTIL_AT, 1);
  }

  get state(): CircuitState {
    return states[Atomics.load(this.#words, PHASE) & STATE_MASK]!;
  }

  /** Asks for a call; undefined = not now. */
  enter(): CircuitPass | undefined {
    for (;;) {
      const phase = Atomics.load(this.#words, PHASE);
      const state = phase & STATE_MASK;
      if (state === CLOSED) return this.#pass(phase);
      if (state === OPEN) {
        if (this.#nowMs() < Number(Atomics.load(this.#openUntilMs, 0))) return undefined;
        this.#change(phase, HALF_OPEN);
      } else {
        if (Atomics.add(this.#words, TRIALS, 1) >= this.#settings.halfOpenMaxRequests) {
          this.#endTrial();
          return undefined;
        }
        if (Atomics.load(this.#words, PHASE) === phase) return this.#pass(phase);
        this.#endTrial();
      }
    }
  }

  #pass(phase: number): CircuitPass {
    let ended = false;
    return {
      end: (outcome) => {
        if (ended) return;
        ended = true;
        // What a call of an earlier phase reports is out of date.
        if (Atomics.load(this.#words, PHASE) === phase) this.#onOutcome(phase, outcome);
      },
    };
  }

  #onOutcome(phase: number, outcome: 'success' | 'failure' | 'neither'): void {
    if ((phase & STATE_MASK) === HALF_OPEN) this.#endTrial();
    if (outcome === 'failure') this.#onFailure(phase);
    else if (outcome === 'success') this.#onSuccess(phase);
  }

  #onFailure(phase: number): void {
    const { failureThreshold, openMs } = this.#settings;
    const halfOpen = (phase & STATE_MASK) === HALF_OPEN;
    if (!halfOpen && Atomics.add(this.#words, FAILURES, 1) + 1 < failureThreshold) return;
    // Before the phase: who sees that the circuit is open must see until when.
    Atomics.store(this.#openUntilMs, 0, BigInt(Math.ceil(this.#nowMs() + openMs)));
    this.#change(phase, OPEN);
  }

  #onSuccess(phase: number): void {
    if ((phase & STATE_MASK) === HALF_OPEN) {
      if (Atomics.add(this.#words, SUCCESSES, 1) + 1 >= this.#settings.successThreshold) this.#change(phase, CLOSED);
    } else if (Atomics.load(this.#words, FAILURES) !== 0) {
      // Only then: threads that write to the same memory all the time wait for each other.
      Atomics.store(this.#words, FAILURES, 0);
    }
  }

  /** Does nothing when somebody else has changed the phase already. */
  #change(phase: number, state: number): void {
    const next = ((phase & ~STATE_MASK) + CHANGE) | state;
    if (Atomics.compareExchange(this.#words, PHASE, phase, next) !== phase) return;
    Atomics.store(this.#words, FAILURES, 0);
    Atomics.store(this.#words, SUCCESSES, 0);
    // An open circuit has no trials, and one that others see half-open already may have.
    if (state !== HALF_OPEN) Atomics.store(this.#words, TRIALS, 0);
    this.#onChange(states[state]!);
  }

  /** One trial less, but never fewer than none: a change of the phase may have dropped it. */
  #endTrial(): void {
    for (;;) {
      const trials = Atomics.load(this.#words, TRIALS);
      if (trials <= 0 || Atomics.compareExchange(this.#words, TRIALS, trials, trials - 1) === trials) return;
    }
  }
}

/** Milliseconds since some moment that is the same for all threads of the process. */
function processClockMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
