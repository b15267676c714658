/**
 * How the formats see whatever carries a context. A carrier is handed over beside the functions that know its shape, as
 * in OpenTelemetry's propagation API, so that reading a request needs no wrapper object.
 *
 * Names are given in lower case. A name that occurs several times reads as its values joined with `,` where the carrier
 * means a list by that (HTTP, gRPC) and as the last value where it does not (Kafka); a joined `traceparent` is thereby
 * malformed, as W3C Trace Context demands.
 */
export interface CarrierGetter<C> {
  /** The value of `name` (lower case), or `undefined` when the carrier has none or it is no text. */
  get(carrier: C, name: string): string | undefined;
  /**
   * Calls `visit` for every name that begins with `prefix` (lower case), with the rest of the name. `state` is passed
   * through, so that callers need no closure.
   */
  each<S>(carrier: C, prefix: string, visit: CarrierVisitor<S>, state: S): void;
}

export type CarrierVisitor<S> = (rest: string, value: string, state: S) => void;

export interface CarrierSetter<C> {
  /** Sets `name` (lower case), replacing every value it has. False when the carrier has no room for it. */
  set(carrier: C, name: string, value: string): boolean;
  /** Removes every value of `name` (lower case). */
  remove(carrier: C, name: string): void;
}

/** A carrier that can be read and written. */
export interface CarrierAccess<C> extends CarrierGetter<C>, CarrierSetter<C> {}

/** Whether `name`, in any case, is `wanted`, which is in lower case. Allocates nothing. */
export function sameName(name: string, wanted: string): boolean {
  return name.length === wanted.length && hasPrefix(name, wanted);
}

/** Whether `name`, in any case, begins with `prefix`, which is in lower case. */
export function hasPrefix(name: string, prefix: string): boolean {
  if (name.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    const code = name.charCodeAt(i);
    const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
    if (lower !== prefix.charCodeAt(i)) return false;
  }
  return true;
}

/** A header value that may be text, bytes of UTF-8, or neither. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? utf8.decode(value) : undefined;
}

/** The texts among `values` joined with `,`; `undefined` when there is none. */
export function joinedTexts(values: readonly unknown[]): string | undefined {
  let joined: string | undefined;
  for (const value of values) {
    const text = textOf(value);
    if (text !== undefined) joined = joined === undefined ? text : `${joined},${text}`;
  }
  return joined;
}

/** The last text among `values`; `undefined` when there is none. */
export function lastText(values: readonly unknown[]): string | undefined {
  for (let i = values.length - 1; i >= 0; i--) {
    const text = textOf(values[i]);
    if (text !== undefined) return text;
  }
  return undefined;
}

const utf8 = new TextDecoder();
