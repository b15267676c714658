import { useSyncExternalStore } from 'react';

/** A value that several parts of the page watch: the smallest thing React can subscribe to. */
export interface Store<T> {
  readonly get: () => T;
  /** Sets the value and tells everyone, unless it is the same. */
  readonly set: (next: T) => void;
  readonly update: (change: (current: T) => T) => void;
  /** Calls back after every change; returns how to stop. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** Makes a store. */
export function createStore<T>(initial: T): Store<T> {
  let current = initial;
  const listeners = new Set<() => void>();
  const set = (next: T): void => {
    if (Object.is(next, current)) return;
    current = next;
    for (const listener of listeners) listener();
  };
  return {
    get: () => current,
    set,
    update: (change) => set(change(current)),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value, or what `select` makes of it; renders again when that changes. */
export function useStore<T>(store: Store<T>): T;
export function useStore<T, S>(store: Store<T>, select: (value: T) => S): S;
export function useStore<T, S>(store: Store<T>, select?: (value: T) => S): T | S {
  return useSyncExternalStore(store.subscribe, () => (select === undefined ? store.get() : select(store.get())));
}
