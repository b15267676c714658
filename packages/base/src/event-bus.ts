/** Stops delivery to one listener; calling it again does nothing. */
export type Unsubscribe = () => void;

/** Events by name, each with its payload type. Listeners are called in the order they subscribed, synchronously. */
export class EventBus<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(payload: never) => void>>();
  readonly #onListenerError: (error: unknown, event: keyof Events) => void;

  /** A listener that throws does not keep the others from being called; what it threw goes to `onListenerError`. */
  constructor(onListenerError: (error: unknown, event: keyof Events) => void) {
    this.#onListenerError = onListenerError;
  }

  /** Calls `listener` for every later `event`. */
  on<Name extends keyof Events>(event: Name, listener: (payload: Events[Name]) => void): Unsubscribe {
    let listeners = this.#listeners.get(event);
    if (listeners === undefined) this.#listeners.set(event, (listeners = new Set()));
    // A wrapper of its own lets one function be subscribed twice and each subscription be ended alone.
    const entry = (payload: Events[Name]) => listener(payload);
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  /** Tells every listener of `event`. Listeners that subscribe meanwhile hear the next one. */
  emit<Name extends keyof Events>(event: Name, payload: Events[Name]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) return;
    for (const listener of [...listeners] as ((payload: Events[Name]) => void)[]) {
      try {
        listener(payload);
      } catch (error) {
        this.#onListenerError(error, event);
      }
    }
  }

  /** How many listeners `event` has. */
  listenerCount(event: keyof Events): number {
    return this.#listeners.get(event)?.size ?? 0;
  }
}
