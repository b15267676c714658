import { SpanBatch } from '@clew/model';
import type { StringTable } from '@clew/model';
import { viewOf } from './protobuf/protobuf-reader.ts';

/** Size of each table of guesses; a power of two. */
const GUESSES = 4096;

/** Stands where no batch is being filled, so that fields always have one shape. */
const NO_STRINGS = new SpanBatch().strings;
const EMPTY_VIEW = viewOf(NO_STRINGS.bytes);

/**
 * Finds strings of an input in a batch's dictionary by guessing: what was found last time in the same place is compared
 * with the bytes first, word by word, and only a wrong guess is hashed. Programs emit the same keys in the same order, so
 * nearly every guess is right.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class StringGuesser {
  /** The string read last in this sequence of messages, from which the next key is guessed. */
  previous = 0;
  #buf: Uint8Array = NO_STRINGS.bytes;
  #view: DataView = EMPTY_VIEW;
  #strings: StringTable = NO_STRINGS;
  #dictionary: Uint8Array = NO_STRINGS.bytes;
  #dictionaryView: DataView = EMPTY_VIEW;
  /** By string read last: the key that followed it. */
  readonly #follow = new Uint32Array(GUESSES);
  /** By a hash of a few words: the recurring string that had it. */
  readonly #recurring = new Uint32Array(GUESSES);

  /** Strings of `buf`, of which `view` is a view, are looked up in `strings` from now on. */
  bind(buf: Uint8Array, view: DataView, strings: StringTable): void {
    this.#buf = buf;
    this.#view = view;
    this.#strings = strings;
    this.previous = 0;
  }

  /** Lets go of the input and the dictionary. */
  release(): void {
    this.bind(NO_STRINGS.bytes, EMPTY_VIEW, NO_STRINGS);
    this.#dictionary = NO_STRINGS.bytes;
    this.#dictionaryView = EMPTY_VIEW;
  }

  /** The index of the key in `[start, stop)`, which becomes `previous`. */
  key(start: number, stop: number): number {
    const slot = this.previous & (GUESSES - 1);
    const guess = this.#follow[slot]!;
    if (this.#same(guess, start, stop)) {
      this.previous = guess;
      return guess;
    }
    const index = this.#strings.intern(this.#buf, start, stop);
    this.#follow[slot] = index;
    this.previous = index;
    return index;
  }

  /** The index of a string that tends to come again, such as a span's name: a few of its words choose the guess. */
  recurring(start: number, stop: number): number {
    const length = stop - start;
    if (length < 4) return this.#strings.intern(this.#buf, start, stop);
    const view = this.#view;
    const first = view.getInt32(start, true);
    const middle = view.getInt32(start + ((length - 4) >>> 1), true);
    const last = view.getInt32(stop - 4, true);
    const mixed = Math.imul(first ^ Math.imul(middle, 0x2c1b3c6d) ^ (last + length), 0x297a2d39);
    const slot = (mixed >>> 16) & (GUESSES - 1);
    const guess = this.#recurring[slot]!;
    if (this.#same(guess, start, stop)) return guess;
    return (this.#recurring[slot] = this.#strings.intern(this.#buf, start, stop));
  }

  /**
   * Whether the dictionary has an entry `index` and it equals `[start, stop)`; compares words, the last two
   * overlapping.
   */
  #same(index: number, start: number, stop: number): boolean {
    const strings = this.#strings;
    if (index >= strings.count) return false;
    const length = stop - start;
    const at = index === 0 ? 0 : strings.ends[index - 1]!;
    if (strings.ends[index]! - at !== length) return false;
    if (length < 4) return strings.equals(index, this.#buf, start, stop);
    if (strings.bytes !== this.#dictionary) this.#bindDictionary(strings.bytes);
    const view = this.#view;
    const dictionary = this.#dictionaryView;
    const tail = length - 4;
    for (let i = 0; i < tail; i += 4) {
      if (view.getInt32(start + i, true) !== dictionary.getInt32(at + i, true)) return false;
    }
    return view.getInt32(start + tail, true) === dictionary.getInt32(at + tail, true);
  }

  #bindDictionary(bytes: Uint8Array): void {
    this.#dictionary = bytes;
    this.#dictionaryView = viewOf(bytes);
  }
}
