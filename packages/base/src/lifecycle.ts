import { BaseError } from './errors.ts';

/**
 * Where something with a life stands:
 *
 * ```
 * idle ──start──► starting ──► running ──drain──► draining ──► drained
 *   │                │ fails      │                  │            │
 *   └─────stop───────┴────────────┴──────stop────────┴────────────┴──► stopping ──► stopped
 * ```
 * A failed start has already released what it held when it is reported: the state is then `failed`.
 */
export type LifecycleState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'drained' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' }
  /** `cleanupError` is what the stop step threw after the failed start. */
  | { readonly kind: 'failed'; readonly error: Error; readonly cleanupError?: unknown };

/** What the steps of a life do. `stop` must release whatever `start` may have acquired, even half of it. */
export interface LifecycleSteps {
  start(): Promise<void> | void;
  /** Takes no new work and finishes what is in flight. */
  drain?(deadline: AbortSignal): Promise<void> | void;
  stop(deadline: AbortSignal): Promise<void> | void;
}

/**
 * Makes start, drain and stop idempotent and safe in any order: a second call joins the first, `stop` waits for a start in
 * progress and drains before it stops, and a start after the end is refused. One life per object.
 */
export class Lifecycle {
  readonly #name: string;
  readonly #steps: LifecycleSteps;
  #state: LifecycleState = { kind: 'idle' };
  #starting: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** `name` is used in errors. */
  constructor(name: string, steps: LifecycleSteps) {
    this.#name = name;
    this.#steps = steps;
  }

  /** The present state. */
  state(): LifecycleState {
    return this.#state;
  }

  /** Whether work may be taken now. */
  get running(): boolean {
    return this.#state.kind === 'running';
  }

  /** Runs the start step once. When it fails, the stop step is run with an expired deadline and the failure rethrown. */
  start(): Promise<void> {
    if (this.#starting !== undefined && this.#stopping === undefined) return this.#starting;
    if (this.#state.kind !== 'idle') {
      const message = `${this.#name} cannot be started: it is ${this.#state.kind}; make a new one instead`;
      return Promise.reject(new BaseError('invalid_state', message));
    }
    return (this.#starting = this.#runStart());
  }

  /** Runs the drain step once; does nothing unless running. */
  drain(deadline: AbortSignal): Promise<void> {
    return (this.#draining ??= this.#runDrain(deadline));
  }

  /** Drains, then runs the stop step, once. Errors of either step are rethrown after both were attempted. */
  stop(deadline: AbortSignal): Promise<void> {
    return (this.#stopping ??= this.#runStop(deadline));
  }

  async #runStart(): Promise<void> {
    this.#state = { kind: 'starting' };
    try {
      await this.#steps.start();
      this.#state = { kind: 'running' };
    } catch (caught) {
      const error = caught instanceof Error ? caught : new Error(String(caught));
      this.#state = { kind: 'failed', error };
      try {
        await this.#steps.stop(AbortSignal.abort());
      } catch (cleanupError) {
        this.#state = { kind: 'failed', error, cleanupError };
      }
      throw error;
    }
  }

  async #runDrain(deadline: AbortSignal): Promise<void> {
    await this.#starting;
    if (this.#state.kind !== 'running') return;
    this.#state = { kind: 'draining' };
    try {
      await this.#steps.drain?.(deadline);
    } finally {
      this.#state = { kind: 'drained' };
    }
  }

  async #runStop(deadline: AbortSignal): Promise<void> {
    if (this.#state.kind === 'idle') {
      this.#state = { kind: 'stopped' };
      return;
    }
    const errors: unknown[] = [];
    // A failed start has been reported to its caller and has cleaned up after itself.
    const started = await this.#starting?.then(
      () => true,
      () => false,
    );
    if (started !== true) return;
    await this.drain(deadline).catch((error: unknown) => errors.push(error));
    this.#state = { kind: 'stopping' };
    try {
      await this.#steps.stop(deadline);
    } catch (error) {
      errors.push(error);
    } finally {
      this.#state = { kind: 'stopped' };
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${this.#name} failed to drain and to stop`);
  }
}
