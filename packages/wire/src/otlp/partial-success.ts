import { appendSigned, parseInteger } from '../json/decimal.ts';
import { JsonReader } from '../json/json-reader.ts';
import { NameTable } from '../json/name-table.ts';
import { JsonWriter } from '../json/json-writer.ts';
import { ProtobufReader } from '../protobuf/protobuf-reader.ts';
import { DEFAULT_DECODE_LIMITS } from '../limits.ts';

/** How an OTLP request or response is encoded. */
export type OtlpEncoding = 'protobuf' | 'json';

/** The signals OTLP carries, each with its own response message. */
export type OtlpSignal = 'traces' | 'metrics' | 'logs';

/**
 * What a server accepted only in part. `rejected` counts spans, data points or log records; 0 with a message is a
 * warning. A client that is told this must not send the request again
 * (https://opentelemetry.io/docs/specs/otlp/#partial-success).
 */
export interface PartialSuccess {
  readonly rejected: bigint;
  readonly message: string;
}

/** How the signals name what they reject; in protobuf all three are field 1. */
const REJECTED_MEMBERS = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
} as const;

const RESPONSE_NAMES = new NameTable({ partialSuccess: 1 });
const PARTIAL_SUCCESS_NAMES = new NameTable({
  rejectedSpans: 1,
  rejectedDataPoints: 1,
  rejectedLogRecords: 1,
  errorMessage: 2,
});

/**
 * An `Export…ServiceResponse` with this partial success. With 0 rejected and no message it says that everything was
 * accepted: no bytes in protobuf, and `{"partialSuccess":{}}` in JSON, as the reference answers.
 */
export function encodePartialSuccess(
  partialSuccess: PartialSuccess,
  encoding: OtlpEncoding,
  signal: OtlpSignal,
): Uint8Array {
  const out = new JsonWriter();
  if (encoding === 'json') writeJson(out, signal, partialSuccess);
  else if (partialSuccess.rejected !== 0n || partialSuccess.message !== '') writeProtobuf(out, partialSuccess);
  return out.bytes.slice(0, out.length);
}

function writeProtobuf(out: JsonWriter, { rejected, message }: PartialSuccess): void {
  const utf8 = new TextEncoder().encode(message);
  const body = out.beginField(0x0a);
  if (rejected !== 0n) {
    out.byte(0x08);
    out.varint(lowWord(rejected), highWord(rejected));
  }
  if (utf8.length > 0) {
    const text = out.beginField(0x12);
    out.append(utf8, 0, utf8.length);
    out.endField(text);
  }
  out.endField(body);
}

function writeJson(out: JsonWriter, signal: OtlpSignal, { rejected, message }: PartialSuccess): void {
  out.ascii('{"partialSuccess":{');
  if (rejected !== 0n) {
    out.ascii(`"${REJECTED_MEMBERS[signal]}":"`);
    appendSigned(out, lowWord(rejected), highWord(rejected));
    out.byte(0x22);
  }
  if (message !== '') {
    const utf8 = new TextEncoder().encode(message);
    out.ascii(rejected === 0n ? '"errorMessage":' : ',"errorMessage":');
    out.string(utf8, 0, utf8.length);
  }
  out.ascii('}}');
}

const lowWord = (value: bigint): number => Number(BigInt.asUintN(32, value));
const highWord = (value: bigint): number => Number(BigInt.asUintN(32, value >> 32n));
const signed = (lo: number, hi: number): bigint => BigInt.asIntN(64, (BigInt(hi) << 32n) | BigInt(lo));

/**
 * Reads an `Export…ServiceResponse` of any signal. Undefined when everything was accepted, which is also what a
 * partial success without content says. Fails with `WireError`.
 */
export function decodePartialSuccess(bytes: Uint8Array, encoding: OtlpEncoding): PartialSuccess | undefined {
  const found = encoding === 'json' ? new JsonResponse(bytes).read() : new ProtobufResponse(bytes).read();
  return found.rejected === 0n && found.message === '' ? undefined : found;
}

class ProtobufResponse extends ProtobufReader {
  #rejected = 0n;
  #message = '';

  constructor(bytes: Uint8Array) {
    super();
    this.buf = bytes;
    this.maxDepth = DEFAULT_DECODE_LIMITS.maxDepth;
  }

  read(): PartialSuccess {
    let pos = 0;
    const end = this.buf.length;
    while (pos < end) {
      pos = this.tag(pos, end);
      if (this.lo !== 0x0a) {
        pos = this.skipUnknown(this.lo, pos, end, 1 << 1);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      this.#partialSuccess(pos, stop);
      pos = stop;
    }
    return { rejected: this.#rejected, message: this.#message };
  }

  #partialSuccess(start: number, end: number): void {
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      if (this.lo === 0x08) {
        pos = this.varint(pos, end);
        this.#rejected = signed(this.lo, this.hi);
      } else if (this.lo === 0x12) {
        pos = this.length(pos, end);
        this.#message = new TextDecoder().decode(this.buf.subarray(pos, this.stop));
        pos = this.stop;
      } else pos = this.skipUnknown(this.lo, pos, end, 0b110);
    }
  }
}

class JsonResponse extends JsonReader {
  #rejected = 0n;
  #message = '';

  constructor(bytes: Uint8Array) {
    super();
    this.maxDepth = DEFAULT_DECODE_LIMITS.maxDepth;
    this.bindInput(bytes);
  }

  read(): PartialSuccess {
    for (let more = this.openObject(); more; more = this.nextMember()) {
      if (this.name(RESPONSE_NAMES) === 0) this.skipValue(0);
      else if (!this.takeNull()) this.#partialSuccess();
    }
    return { rejected: this.#rejected, message: this.#message };
  }

  #partialSuccess(): void {
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(PARTIAL_SUCCESS_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 2) {
        this.string();
        this.#message = new TextDecoder().decode(this.text.subarray(this.textStart, this.textEnd));
      } else {
        this.numberOrString();
        const words = { lo: 0, hi: 0 };
        if (!parseInteger(this.text, this.textStart, this.textEnd, true, words)) {
          throw this.unsuitable('a signed 64-bit integer');
        }
        this.#rejected = signed(words.lo, words.hi);
      }
    }
  }
}
