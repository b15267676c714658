import { SpanBytes } from './span-bytes.ts';

/** Values beyond this are written anew each time: those of configurations are fewer, and nobody else shall fill the memory. */
const MAX_VALUES = 1000;

/**
 * Attributes that follow from one value, as bytes that are made when the value is first seen. Hot path, guarded by
 * `bench/gateway-telemetry`: for what recurs, such as the ids of routes.
 */
export class ReadyBytes<V> {
  readonly #write: (out: SpanBytes, value: V) => void;
  readonly #known = new Map<V, Uint8Array>();

  /** `write` writes the attributes of a value. */
  constructor(write: (out: SpanBytes, value: V) => void) {
    this.#write = write;
  }

  add(out: SpanBytes, value: V): void {
    const known = this.#known.get(value);
    if (known !== undefined) out.ready(known);
    else if (this.#known.size < MAX_VALUES) out.ready(this.#make(value));
    else this.#write(out, value);
  }

  #make(value: V): Uint8Array {
    const bytes = bytesOf((out) => this.#write(out, value));
    this.#known.set(value, bytes);
    return bytes;
  }
}

/** What `write` writes. */
export function bytesOf(write: (out: SpanBytes) => void): Uint8Array {
  const out = new SpanBytes();
  write(out);
  return out.taken();
}
