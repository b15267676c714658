import { inputError } from '../errors.ts';
import type { WireError } from '../errors.ts';
import { limitError } from '../limits.ts';
import { TextBuffer } from './text-buffer.ts';
import type { NameTable, QuotedName } from './name-table.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const MINUS = 0x2d;

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/**
 * Reads JSON (RFC 8259) from UTF-8 bytes without building strings or objects. Members and elements are walked with
 *
 *     for (let more = this.openObject(); more; more = this.nextMember()) switch (this.name(TABLE)) { … }
 *
 * where every branch must read or skip exactly one value. A hot path, guarded by `bench/codec`.
 */
export class JsonReader {
  protected buf: Uint8Array = EMPTY;
  /** The same bytes, for reading words. */
  protected view: DataView = EMPTY_VIEW;
  protected pos = 0;
  protected end = 0;
  protected maxDepth = 0;
  /** The string read last: `text[textStart, textEnd)`, either the input itself or, after escapes, a scratch buffer. */
  protected text: Uint8Array = EMPTY;
  protected textStart = 0;
  protected textEnd = 0;
  readonly #scratch = new TextBuffer();

  protected bindInput(bytes: Uint8Array): void {
    this.buf = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.pos = 0;
    this.end = bytes.length;
  }

  /** Lets go of the input. */
  protected release(): void {
    this.buf = EMPTY;
    this.view = EMPTY_VIEW;
    this.text = EMPTY;
    this.#scratch.reset();
  }

  /** Skips white space; returns the byte that follows without taking it, or -1 at the end. */
  protected peek(): number {
    const { buf, end } = this;
    let { pos } = this;
    while (pos < end) {
      const byte = buf[pos]!;
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        this.pos = pos;
        return byte;
      }
      pos++;
    }
    this.pos = end;
    return -1;
  }

  /** Enters an object; returns whether it has a member. */
  protected openObject(): boolean {
    if (this.peek() !== BRACE_OPEN) throw this.unexpected('an object');
    this.pos++;
    if (this.peek() !== BRACE_CLOSE) return true;
    this.pos++;
    return false;
  }

  /** Goes past a member's value; returns whether another member follows. */
  protected nextMember(): boolean {
    return this.#next(BRACE_CLOSE, "',' or '}'");
  }

  /** Enters an array; returns whether it has an element. */
  protected openArray(): boolean {
    if (this.peek() !== BRACKET_OPEN) throw this.unexpected('an array');
    this.pos++;
    if (this.peek() !== BRACKET_CLOSE) return true;
    this.pos++;
    return false;
  }

  /** Goes past an element; returns whether another follows. */
  protected nextElement(): boolean {
    return this.#next(BRACKET_CLOSE, "',' or ']'");
  }

  #next(close: number, wanted: string): boolean {
    const byte = this.peek();
    if (byte !== COMMA && byte !== close) throw this.malformed(wanted);
    this.pos++;
    return byte === COMMA;
  }

  /**
   * Reads a member's name and the colon; returns the name's number in `names`, 0 when it is not there. Writers repeat
   * the order of members, so the one that followed the last time is tried first.
   */
  protected name(names: NameTable): number {
    if (this.peek() !== QUOTE) throw this.malformed('the name of a member');
    const expected = names.expected();
    if (expected !== undefined && this.#startsWith(expected)) {
      this.pos += expected.length;
      return names.confirm();
    }
    this.key();
    return names.learn(this.text, this.textStart, this.textEnd);
  }

  #startsWith({ length, words }: QuotedName): boolean {
    const { view, pos } = this;
    if (pos + length > this.end) return false;
    const last = length - 4;
    let word = 0;
    for (let i = 0; i < last; i += 4) if (view.getInt32(pos + i, true) !== words[word++]) return false;
    return view.getInt32(pos + last, true) === words[word];
  }

  /** Reads a member's name, whatever it is, into `text`, `textStart`, `textEnd`, and the colon. */
  protected key(): void {
    if (this.peek() !== QUOTE) throw this.malformed('the name of a member');
    this.string();
    if (this.peek() !== COLON) throw this.malformed("':'");
    this.pos++;
  }

  /** Takes a `null`, which stands for an absent value; returns whether there was one. */
  protected takeNull(): boolean {
    if (this.peek() !== 0x6e) return false;
    this.#literal('null');
    return true;
  }

  /** Reads `true` or `false`. */
  protected boolean(): boolean {
    const byte = this.peek();
    if (byte === 0x74) this.#literal('true');
    else if (byte === 0x66) this.#literal('false');
    else throw this.unexpected('true or false');
    return byte === 0x74;
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.pos + i >= this.end || this.buf[this.pos + i] !== word.charCodeAt(i)) throw this.malformed(`'${word}'`);
    }
    this.pos += word.length;
  }

  /** Reads a string into `text`, `textStart`, `textEnd`. */
  protected string(): void {
    if (this.peek() !== QUOTE) throw this.unexpected('a string');
    this.quoted();
  }

  /** Like {@link JsonReader.string}, for who has seen by `peek` that there is a quote. */
  protected quoted(): void {
    const { buf, end } = this;
    const start = this.pos + 1;
    for (let pos = this.#plainEnd(start); pos < end; pos++) {
      const byte = buf[pos]!;
      if (byte === QUOTE) {
        this.text = buf;
        this.textStart = start;
        this.textEnd = pos;
        this.pos = pos + 1;
        return;
      }
      if (byte === BACKSLASH) {
        this.#escapedString(start, pos);
        return;
      }
      if (byte < 0x20)
        throw inputError('invalid_json', pos, 'a string contains a control character that is not escaped');
    }
    throw inputError('truncated', this.pos, 'a string does not end');
  }

  /** Skips words that hold no quote, backslash or control character: whether one does is told by subtracting from all four bytes at once. */
  #plainEnd(start: number): number {
    const { view } = this;
    const last = this.end - 4;
    let pos = start;
    for (; pos <= last; pos += 4) {
      const word = view.getInt32(pos, true);
      const quote = word ^ 0x22222222;
      const backslash = word ^ 0x5c5c5c5c;
      const found =
        ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash) | ((word - 0x20202020) & ~word);
      if ((found & 0x80808080) !== 0) break;
    }
    return pos;
  }

  #escapedString(start: number, firstEscape: number): void {
    const { buf, end } = this;
    const out = this.#scratch;
    out.length = 0;
    let run = start;
    let pos = firstEscape;
    while (pos < end) {
      const byte = buf[pos]!;
      if (byte === QUOTE) {
        out.append(buf, run, pos);
        this.text = out.bytes;
        this.textStart = 0;
        this.textEnd = out.length;
        this.pos = pos + 1;
        return;
      }
      if (byte < 0x20)
        throw inputError('invalid_json', pos, 'a string contains a control character that is not escaped');
      if (byte !== BACKSLASH) {
        pos++;
        continue;
      }
      out.append(buf, run, pos);
      pos = run = this.#escape(pos + 1, out);
    }
    throw inputError('truncated', start - 1, 'a string does not end');
  }

  /** Appends what the escape after a backslash stands for; returns the position behind it. */
  #escape(pos: number, out: TextBuffer): number {
    const byte = pos < this.end ? this.buf[pos]! : -1;
    const plain = SIMPLE_ESCAPES.get(byte);
    if (plain !== undefined) {
      out.byte(plain);
      return pos + 1;
    }
    if (byte !== 0x75) throw inputError('invalid_json', pos - 1, 'a string contains an unknown escape');
    const unit = this.#hex4(pos + 1);
    const after = pos + 5;
    if (unit >= 0xd800 && unit < 0xdc00 && this.buf[after] === BACKSLASH && this.buf[after + 1] === 0x75) {
      const low = this.#hex4(after + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        out.codePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        return after + 6;
      }
    }
    // Half a surrogate pair is no character and has no UTF-8 form.
    out.codePoint(unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit);
    return after;
  }

  #hex4(at: number): number {
    let value = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = i < this.end ? hexDigit(this.buf[i]!) : -1;
      if (digit < 0)
        throw inputError('invalid_json', at - 2, 'an escape \\u is not followed by four hexadecimal digits');
      value = (value << 4) | digit;
    }
    return value;
  }

  /** Takes a number and leaves its source text in `text`, `textStart`, `textEnd`. */
  protected number(): void {
    const byte = this.peek();
    if (byte !== MINUS && !isDigit(byte)) throw this.unexpected('a number');
    const stop = numberEnd(this.buf, this.pos, this.end);
    if (stop < 0) throw inputError('invalid_json', this.pos, 'a number is malformed');
    this.text = this.buf;
    this.textStart = this.pos;
    this.textEnd = stop;
    this.pos = stop;
  }

  /** Takes a number or a string, either into `text`; returns whether it was a string. */
  protected numberOrString(): boolean {
    if (this.peek() === QUOTE) {
      this.string();
      return true;
    }
    this.number();
    return false;
  }

  /** Skips one value of any kind. `depth` is how many arrays and objects it is in that are skipped. */
  protected skipValue(depth: number): void {
    switch (this.peek()) {
      case QUOTE:
        this.string();
        return;
      case BRACE_OPEN:
        this.enter(depth + 1);
        for (let more = this.openObject(); more; more = this.nextMember()) {
          this.key();
          this.skipValue(depth + 1);
        }
        return;
      case BRACKET_OPEN:
        this.enter(depth + 1);
        for (let more = this.openArray(); more; more = this.nextElement()) this.skipValue(depth + 1);
        return;
      case 0x6e:
        this.#literal('null');
        return;
      case 0x74:
      case 0x66:
        this.boolean();
        return;
      default:
        this.number();
    }
  }

  /** Checks that `depth` levels of nesting are allowed. */
  protected enter(depth: number): void {
    if (depth > this.maxDepth) throw limitError('too_deep', this.pos, 'maxDepth', this.maxDepth);
  }

  /** The error for JSON that ends or is no JSON where `wanted` must come. */
  protected malformed(wanted: string): WireError {
    if (this.pos >= this.end) return inputError('truncated', this.pos, `the JSON text ends where ${wanted} must come`);
    const seen = String.fromCharCode(this.buf[this.pos]!);
    return inputError('invalid_json', this.pos, `'${seen}' stands where ${wanted} must come`);
  }

  /** The error for a value of another type than the member has. */
  protected unexpected(wanted: string): WireError {
    const byte = this.peek();
    if (byte < 0 || !(VALUE_STARTS.has(byte) || isDigit(byte))) return this.malformed(wanted);
    return inputError('wrong_json_type', this.pos, `another value stands where ${wanted} must come`);
  }

  /** The error for a string or number whose content does not fit the member; for use right after reading it. */
  protected unsuitable(wanted: string): WireError {
    return inputError('wrong_json_type', this.pos, `the value that ends here is not ${wanted}`);
  }
}

const SIMPLE_ESCAPES: ReadonlyMap<number, number> = new Map([
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

/** First bytes of values, but for digits. */
const VALUE_STARTS: ReadonlySet<number> = new Set([QUOTE, BRACE_OPEN, BRACKET_OPEN, MINUS, 0x74, 0x66, 0x6e]);

/** The value of a hexadecimal digit of either case, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Whether `byte` is an ASCII digit. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Where the JSON number that begins at `start` ends, or -1 when there is none. */
export function numberEnd(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  if (pos < end && bytes[pos] === MINUS) pos++;
  const integer = pos;
  pos = digitsEnd(bytes, pos, end);
  if (pos === integer || (bytes[integer] === 0x30 && pos > integer + 1)) return -1;
  if (pos < end && bytes[pos] === 0x2e) {
    const fraction = pos + 1;
    pos = digitsEnd(bytes, fraction, end);
    if (pos === fraction) return -1;
  }
  if (pos < end && (bytes[pos]! | 0x20) === 0x65) {
    pos++;
    if (pos < end && (bytes[pos] === 0x2b || bytes[pos] === MINUS)) pos++;
    const exponent = pos;
    pos = digitsEnd(bytes, exponent, end);
    if (pos === exponent) return -1;
  }
  return pos;
}

function digitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end && isDigit(bytes[pos])) pos++;
  return pos;
}
