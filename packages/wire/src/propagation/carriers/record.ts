import type { CarrierAccess } from './carrier.ts';

/** How a {@link recordCarrier} names and writes its values. */
export interface RecordCarrierOptions {
  /** The key a lower-case name has in the record, and the prefix keys have for a prefix of names. Default: the name itself. */
  readonly keyOf?: (name: string) => string;
  /** The name, in lower case, that the rest of a key behind its prefix stands for. Default: the rest itself. */
  readonly restOf?: (rest: string) => string;
  /** The text a stored value means; `undefined` when it means none. */
  readonly read: (value: unknown) => string | undefined;
  /** What is stored for a text. Default: the text. */
  readonly write?: (text: string) => unknown;
}

/** Access to plain objects that have one key for a name: what most libraries use for message headers. */
export function recordCarrier(options: RecordCarrierOptions): CarrierAccess<Record<string, unknown>> {
  const { read, keyOf = same, restOf = same, write = same } = options;
  return {
    get(record, name) {
      const value = record[keyOf(name)];
      return value === undefined ? undefined : read(value);
    },
    each(record, prefix, visit, state) {
      const start = keyOf(prefix);
      for (const key in record) {
        if (!key.startsWith(start)) continue;
        const value = read(record[key]);
        if (value !== undefined) visit(restOf(key.slice(start.length)), value, state);
      }
    },
    set(record, name, value) {
      record[keyOf(name)] = write(value);
      return true;
    },
    remove(record, name) {
      delete record[keyOf(name)];
    },
  };
}

function same(text: string): string {
  return text;
}
