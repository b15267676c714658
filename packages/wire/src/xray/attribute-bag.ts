import type { AttributeValue, KeyValue } from '@clew/model';

/** Attributes from which an encoder takes what it understands; duplicates are kept, in their order. */
export class AttributeBag {
  readonly #values = new Map<string, AttributeValue[]>();

  constructor(attributes: readonly KeyValue[]) {
    for (const { key, value } of attributes) {
      const values = this.#values.get(key);
      if (values === undefined) this.#values.set(key, [value]);
      else values.push(value);
    }
  }

  /** The first value under `key`, which stays. */
  peek(key: string): AttributeValue | undefined {
    return this.#values.get(key)?.[0];
  }

  /** The first value under `key` when it is text that is not empty; it stays. */
  peekText(key: string): string | undefined {
    const value = this.peek(key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** Removes and returns the first value under `key`. */
  take(key: string): AttributeValue | undefined {
    return this.#remove(key, (values) => values.shift());
  }

  /** Removes and returns the last value under `key`. */
  takeLast(key: string): AttributeValue | undefined {
    return this.#remove(key, (values) => values.pop());
  }

  /** Removes the first value of each key and returns that of the first key that has one. */
  takeFirstOf(...keys: readonly string[]): AttributeValue | undefined {
    let found: AttributeValue | undefined;
    for (const key of keys) {
      const value = this.take(key);
      found ??= value ?? undefined;
    }
    return found;
  }

  /** What is left. */
  *rest(): Generator<readonly [key: string, value: AttributeValue]> {
    for (const [key, values] of this.#values) for (const value of values) yield [key, value];
  }

  #remove(key: string, from: (values: AttributeValue[]) => AttributeValue | undefined): AttributeValue | undefined {
    const values = this.#values.get(key);
    if (values === undefined) return undefined;
    const value = from(values);
    if (values.length === 0) this.#values.delete(key);
    return value;
  }
}
