import { SpanKind, StatusCode, ValueType, bytesOfText } from '@clew/model';
import type { DecodeContext } from './decode-context.ts';
import { KeyRole } from './tag-keys.ts';
import { equalsText, httpStatusOf, kindOf, kindNames } from './tag-values.ts';

/** Roles a span's tag can have; a set of roles has the bit `1 << role` for each. */
const MAPPED =
  bit(KeyRole.SPAN_KIND) |
  bit(KeyRole.ERROR) |
  bit(KeyRole.STATUS_CODE) |
  bit(KeyRole.STATUS_DESCRIPTION) |
  bit(KeyRole.HTTP_STATUS_CODE) |
  bit(KeyRole.HTTP_STATUS_MESSAGE) |
  bit(KeyRole.TRACE_STATE) |
  bit(KeyRole.SCOPE_NAME) |
  bit(KeyRole.SCOPE_VERSION) |
  bit(KeyRole.SDK_LANGUAGE);

/** Stands in the type column for an attribute that {@link SpanTags} is about to remove. */
const REMOVED = 0xff;

const trueText = bytesOfText('true');
const okText = bytesOfText('OK');
const errorText = bytesOfText('ERROR');
const goText = bytesOfText('go');

/**
 * Turns the tags of one span into its attributes and fields, as Jaeger's own translation to OpenTelemetry does. A tag is taken away only
 * when encoding the span to Jaeger's format gives exactly that tag back; in any other case (another type or spelling, a key
 * that occurs twice) it stays, and the field is set all the same. Of several tags with one key the last one counts.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class SpanTags {
  /** The scope the tags name, as indexes of strings; 0 for none. */
  scopeName = 0;
  scopeVersion = 0;
  readonly #context: DecodeContext;
  /** Roles met in this span, and those met more than once. */
  #seen = 0;
  #repeated = 0;
  /** By role: the last attribute that has it. */
  readonly #rows = new Uint32Array(32);
  /** The first attribute to be removed. */
  #firstRemoved = 0;

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  /** Begins the tags of the span that is added next. */
  begin(): void {
    this.#seen = 0;
    this.#repeated = 0;
  }

  /** Notes that attribute `row` of the span has a key with a role. */
  note(role: number, row: number): void {
    const mask = (1 << role) & MAPPED;
    this.#repeated |= this.#seen & mask;
    this.#seen |= mask;
    this.#rows[role] = row;
  }

  /**
   * Sets what the tags say of span `row`, whose scalars are zero: kind, status, trace state, and `scopeName` and `scopeVersion` here.
   * `isGo` tells that the process is known to be written in Go, whose numbers for statuses are its own.
   */
  finish(row: number, isGo: boolean): void {
    this.scopeName = 0;
    this.scopeVersion = 0;
    if (this.#seen === 0) return;
    const { batch } = this.#context;
    this.#firstRemoved = batch.spanAttrs.count;
    const kind = this.#kind();
    batch.kinds[row] = kind;
    this.#status(row, kind, isGo);
    batch.traceStates[row] = this.#takeText(KeyRole.TRACE_STATE);
    if (this.#has(KeyRole.SCOPE_NAME)) this.#scope();
    if (this.#firstRemoved < batch.spanAttrs.count) this.#compact();
  }

  #has(role: number): boolean {
    return (this.#seen & (1 << role)) !== 0;
  }

  /** Removes the attribute of `role`, unless its key occurs again. */
  #remove(role: number): void {
    if ((this.#repeated & (1 << role)) !== 0) return;
    const row = this.#rows[role]!;
    this.#context.batch.spanAttrs.types[row] = REMOVED;
    if (row < this.#firstRemoved) this.#firstRemoved = row;
  }

  #compact(): void {
    const { spanAttrs } = this.#context.batch;
    const { keys, types, lo, hi, count } = spanAttrs;
    let to = this.#firstRemoved;
    for (let from = to; from < count; from++) {
      const type = types[from]!;
      if (type === REMOVED) continue;
      keys[to] = keys[from]!;
      types[to] = type;
      lo[to] = lo[from]!;
      hi[to] = hi[from]!;
      to++;
    }
    spanAttrs.count = to;
  }

  #kind(): number {
    if (!this.#has(KeyRole.SPAN_KIND)) return SpanKind.UNSPECIFIED;
    const { batch } = this.#context;
    const { types, lo, hi } = batch.spanAttrs;
    const row = this.#rows[KeyRole.SPAN_KIND]!;
    if (types[row] !== ValueType.STRING) return SpanKind.UNSPECIFIED;
    const kind = kindOf(batch.heap, lo[row]!, hi[row]!);
    if (kind !== SpanKind.UNSPECIFIED && this.#isText(row, kindNames[kind]!)) this.#remove(KeyRole.SPAN_KIND);
    return kind;
  }

  /** The first rule that applies: the tag `error`, `otel.status_code`, `http.status_code`. */
  #status(row: number, kind: number, isGo: boolean): void {
    if (this.#has(KeyRole.ERROR) && this.#isError()) {
      this.#setStatus(row, StatusCode.ERROR);
      if (this.#has(KeyRole.STATUS_CODE) && this.#isStatus(errorText)) this.#remove(KeyRole.STATUS_CODE);
    } else if (this.#has(KeyRole.STATUS_CODE)) {
      this.#setStatus(row, this.#statusCode(isGo));
    } else if (this.#has(KeyRole.HTTP_STATUS_CODE) && this.#isHttpError(kind)) {
      this.#setStatus(row, StatusCode.ERROR);
    }
  }

  /**
   * The message is the description sent for it, or else, of an error, the one of HTTP: by the same rule wherever the error was found, since
   * an encoder tells it in all ways.
   */
  #setStatus(row: number, code: number): void {
    const { batch } = this.#context;
    batch.statusCodes[row] = code;
    const hasDescription =
      this.#has(KeyRole.STATUS_DESCRIPTION) &&
      batch.spanAttrs.types[this.#rows[KeyRole.STATUS_DESCRIPTION]!] === ValueType.STRING;
    if (hasDescription) batch.statusMessages[row] = this.#takeText(KeyRole.STATUS_DESCRIPTION);
    else if (code === StatusCode.ERROR) batch.statusMessages[row] = this.#text(KeyRole.HTTP_STATUS_MESSAGE);
  }

  /** Whether the tag `error` is true, as a bool or as text; the bool is what an encoder writes. */
  #isError(): boolean {
    const { types, lo } = this.#context.batch.spanAttrs;
    const row = this.#rows[KeyRole.ERROR]!;
    if (types[row] !== ValueType.BOOL) return this.#isText(row, trueText);
    if (lo[row] === 0) return false;
    this.#remove(KeyRole.ERROR);
    return true;
  }

  #statusCode(isGo: boolean): number {
    const row = this.#rows[KeyRole.STATUS_CODE]!;
    const { batch } = this.#context;
    const { types, lo, hi } = batch.spanAttrs;
    if (types[row] === ValueType.INT) {
      if (hi[row] !== 0 || !(isGo || this.#isGoSpan())) return StatusCode.UNSET;
      return lo[row] === 1 ? StatusCode.ERROR : lo[row] === 2 ? StatusCode.OK : StatusCode.UNSET;
    }
    if (types[row] !== ValueType.STRING) return StatusCode.UNSET;
    for (const [text, code] of statusTexts) {
      if (!equalsText(batch.heap, lo[row]!, hi[row]!, text, true)) continue;
      if (this.#isStatus(text)) this.#remove(KeyRole.STATUS_CODE);
      return code;
    }
    return StatusCode.UNSET;
  }

  #isStatus(text: Uint8Array): boolean {
    return this.#isText(this.#rows[KeyRole.STATUS_CODE]!, text);
  }

  #isGoSpan(): boolean {
    return this.#has(KeyRole.SDK_LANGUAGE) && this.#isText(this.#rows[KeyRole.SDK_LANGUAGE]!, goText);
  }

  #isHttpError(kind: number): boolean {
    const { batch } = this.#context;
    const { types, lo, hi } = batch.spanAttrs;
    const row = this.#rows[KeyRole.HTTP_STATUS_CODE]!;
    const status = httpStatusOf(batch.heap, types[row]!, lo[row]!, hi[row]!);
    if (Number.isNaN(status)) return false;
    if (status >= 400 && status < 500) return kind !== SpanKind.SERVER;
    return status < 100 || status > 399;
  }

  #scope(): void {
    this.scopeName = this.#takeText(KeyRole.SCOPE_NAME);
    if (this.scopeName !== 0) this.scopeVersion = this.#takeText(KeyRole.SCOPE_VERSION);
  }

  /** The text of a tag as an index of a string, 0 when there is none; the tag is removed. */
  #takeText(role: number): number {
    const text = this.#text(role);
    if (text !== 0) this.#remove(role);
    return text;
  }

  #text(role: number): number {
    if (!this.#has(role)) return 0;
    const { batch } = this.#context;
    const { types, lo, hi } = batch.spanAttrs;
    const row = this.#rows[role]!;
    if (types[row] !== ValueType.STRING) return 0;
    return this.#context.text(lo[row]!, hi[row]!);
  }

  #isText(row: number, text: Uint8Array): boolean {
    const { batch } = this.#context;
    const { types, lo, hi } = batch.spanAttrs;
    return types[row] === ValueType.STRING && equalsText(batch.heap, lo[row]!, hi[row]!, text, false);
  }
}

const statusTexts: readonly (readonly [Uint8Array, number])[] = [
  [okText, StatusCode.OK],
  [errorText, StatusCode.ERROR],
];

function bit(role: number): number {
  return 1 << role;
}
