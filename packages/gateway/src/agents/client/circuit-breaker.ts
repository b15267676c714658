import type { CircuitBreakerConfig } from '../../config/model/upstream.ts';

/** Closed: calls pass. Open: none do. Half-open: a few do, to find out. */
export type CircuitState = 'closed' | 'open' | 'half_open';

/** The right to make one call. How it went has to be told, once; `neither` is a call that says nothing about the other side. */
export interface CircuitPass {
  end(outcome: 'success' | 'failure' | 'neither'): void;
}

/** Suspends calls after too many failures in a row, and lets them through again when trials succeed. */
export class CircuitBreaker {
  readonly #settings: CircuitBreakerConfig;
  readonly #onChange: (state: CircuitState) => void;
  readonly #nowMs: () => number;
  #state: CircuitState = 'closed';
  /** Counts state changes: what a call of an earlier state reports is out of date. */
  #epoch = 0;
  #failures = 0;
  #successes = 0;
  #trials = 0;
  #openUntilMs = 0;

  /** `nowMs` is a clock that never goes back; it is replaced in tests. */
  constructor(
    settings: CircuitBreakerConfig,
    onChange: (state: CircuitState) => void,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#nowMs = nowMs;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Asks for a call; undefined = not now. */
  enter(): CircuitPass | undefined {
    if (this.#state === 'open') {
      if (this.#nowMs() < this.#openUntilMs) return undefined;
      this.#change('half_open');
    }
    if (this.#state === 'half_open') {
      if (this.#trials >= this.#settings.halfOpenMaxRequests) return undefined;
      this.#trials++;
    }
    const epoch = this.#epoch;
    let ended = false;
    return {
      end: (outcome) => {
        if (ended || epoch !== this.#epoch) return;
        ended = true;
        this.#onOutcome(outcome);
      },
    };
  }

  /** Opens a closed circuit because somebody else has had the failures; nobody is told. */
  trip(): void {
    if (this.#state !== 'closed') return;
    this.#openUntilMs = this.#nowMs() + this.#settings.openMs;
    this.#enterState('open');
  }

  #onOutcome(outcome: 'success' | 'failure' | 'neither'): void {
    if (this.#state === 'half_open') this.#trials--;
    if (outcome === 'failure') this.#onFailure();
    else if (outcome === 'success') this.#onSuccess();
  }

  #onFailure(): void {
    if (this.#state === 'half_open' || ++this.#failures >= this.#settings.failureThreshold) {
      this.#openUntilMs = this.#nowMs() + this.#settings.openMs;
      this.#change('open');
    }
  }

  #onSuccess(): void {
    this.#failures = 0;
    if (this.#state === 'half_open' && ++this.#successes >= this.#settings.successThreshold) this.#change('closed');
  }

  #change(state: CircuitState): void {
    this.#enterState(state);
    this.#onChange(state);
  }

  #enterState(state: CircuitState): void {
    this.#state = state;
    this.#epoch++;
    this.#failures = 0;
    this.#successes = 0;
    this.#trials = 0;
  }
}
