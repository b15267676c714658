import { losslessText } from '@clew/model';
import { inputError } from '../errors.ts';
import { JsonReader } from '../json/json-reader.ts';

/**
 * JSON as a tree that loses nothing segment documents care about: numbers keep their source text, so that times and 64-bit integers
 * stay exact, and objects are maps from which a decoder takes what it understands; what is left over can then be kept as it came.
 */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

/** A number as it was written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object; of members with one name the last. */
export class JsonObject {
  readonly members: Map<string, Json>;
  /** Where in the input it begins, for errors; 0 when it was not read. */
  readonly offset: number;

  constructor(members: Iterable<readonly [string, Json]> = [], offset = 0) {
    this.members = new Map(members);
    this.offset = offset;
  }

  get(name: string): Json | undefined {
    return this.members.get(name);
  }

  set(name: string, value: Json): void {
    this.members.set(name, value);
  }
}

class TreeReader extends JsonReader {
  read(bytes: Uint8Array, start: number, maxDepth: number): Json {
    this.bindInput(bytes);
    this.pos = start;
    this.maxDepth = maxDepth;
    try {
      const value = this.#value(1);
      if (this.peek() >= 0) throw inputError('invalid_json', this.pos, 'something follows the end of the JSON value');
      return value;
    } finally {
      this.release();
    }
  }

  #value(depth: number): Json {
    switch (this.peek()) {
      case 0x22:
        return this.#text();
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case 0x74:
      case 0x66:
        return this.boolean();
      case 0x6e:
        this.takeNull();
        return null;
      default:
        this.number();
        return new JsonNumber(this.#taken());
    }
  }

  #text(): string {
    this.string();
    return this.#taken();
  }

  /** What was read last, as text. */
  #taken(): string {
    const { text, textStart, textEnd } = this;
    return shortAscii(text, textStart, textEnd) ?? losslessText(text.subarray(textStart, textEnd));
  }

  #object(depth: number): JsonObject {
    this.enter(depth);
    const object = new JsonObject([], this.pos);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const name = this.#memberName();
      object.set(name, this.#value(depth + 1));
    }
    return object;
  }

  #memberName(): string {
    if (this.peek() !== 0x22) throw this.malformed('the name of a member');
    const name = this.#text();
    if (this.peek() !== 0x3a) throw this.malformed("':'");
    this.pos++;
    return name;
  }

  #array(depth: number): Json[] {
    this.enter(depth);
    const elements: Json[] = [];
    for (let more = this.openArray(); more; more = this.nextElement()) elements.push(this.#value(depth + 1));
    return elements;
  }
}

/** Names and ids are short: making them letter by letter saves a view and a call of the decoder for each. */
function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > 40) return undefined;
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

const reader = new TreeReader();

/**
 * The JSON value in `bytes` from `start` on. Fails with `WireError` (offsets count from the beginning of `bytes`): `truncated`,
 * `invalid_json`, or `too_deep` when arrays and objects nest deeper than `maxDepth`.
 */
export function readJson(bytes: Uint8Array, start: number, maxDepth: number): Json {
  return reader.read(bytes, start, maxDepth);
}

/** Whether a value is an array. */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Whether two values say the same, in whatever order their members come. */
export function equalJson(a: Json, b: Json): boolean {
  if (a instanceof JsonNumber) return b instanceof JsonNumber && a.text === b.text;
  if (a instanceof JsonObject) {
    if (!(b instanceof JsonObject) || a.members.size !== b.members.size) return false;
    return [...a.members].every(([name, value]) => {
      const other = b.get(name);
      return other !== undefined && equalJson(value, other);
    });
  }
  if (isJsonArray(a)) {
    return isJsonArray(b) && a.length === b.length && a.every((value, at) => equalJson(value, b[at]!));
  }
  return a === b;
}
