import { inputError } from '../errors.ts';
import { DEFAULT_DECODE_LIMITS } from '../limits.ts';
import { JsonReader } from '../json/json-reader.ts';
import { NameTable } from '../json/name-table.ts';
import type { OtlpEncoding } from './partial-success.ts';
import { ProtobufReader, wrongWireType } from '../protobuf/protobuf-reader.ts';

/**
 * Counting what a request holds without decoding it: a walk down one path of fields to the items. What lies beside the
 * path is skipped, and what lies within the items is not looked at.
 */

/** The path to the items: at each level the protobuf fields, as a bit set, and the JSON members to go down. */
interface Level {
  readonly fields: number;
  readonly members: NameTable;
  /** In JSON these members hold an object instead of an array. */
  readonly single?: boolean;
}

const SPANS: readonly Level[] = [
  { fields: 1 << 1, members: new NameTable({ resourceSpans: 1 }) },
  { fields: 1 << 2, members: new NameTable({ scopeSpans: 1 }) },
  { fields: 1 << 2, members: new NameTable({ spans: 1 }) },
];

const LOG_RECORDS: readonly Level[] = [
  { fields: 1 << 1, members: new NameTable({ resourceLogs: 1 }) },
  { fields: 1 << 2, members: new NameTable({ scopeLogs: 1 }) },
  { fields: 1 << 2, members: new NameTable({ logRecords: 1 }) },
];

const DATA_POINTS: readonly Level[] = [
  { fields: 1 << 1, members: new NameTable({ resourceMetrics: 1 }) },
  { fields: 1 << 2, members: new NameTable({ scopeMetrics: 1 }) },
  { fields: 1 << 2, members: new NameTable({ metrics: 1 }) },
  {
    fields: (1 << 5) | (1 << 7) | (1 << 9) | (1 << 10) | (1 << 11),
    members: new NameTable({ gauge: 1, sum: 1, histogram: 1, exponentialHistogram: 1, summary: 1 }),
    single: true,
  },
  { fields: 1 << 1, members: new NameTable({ dataPoints: 1 }) },
];

/** Spans in an `ExportTraceServiceRequest`. Fails with `WireError` when the request is malformed on the way to them. */
export function countSpans(bytes: Uint8Array, encoding: OtlpEncoding): number {
  return count(bytes, encoding, SPANS);
}

/**
 * Log records in an `ExportLogsServiceRequest`. Fails with `WireError` when the request is malformed on the way to
 * them.
 */
export function countLogRecords(bytes: Uint8Array, encoding: OtlpEncoding): number {
  return count(bytes, encoding, LOG_RECORDS);
}

/**
 * Data points in an `ExportMetricsServiceRequest`, of all kinds of metrics together. Fails with `WireError` when the
 * request is malformed on the way to them.
 */
export function countDataPoints(bytes: Uint8Array, encoding: OtlpEncoding): number {
  return count(bytes, encoding, DATA_POINTS);
}

function count(bytes: Uint8Array, encoding: OtlpEncoding, path: readonly Level[]): number {
  return encoding === 'json' ? new JsonCounter(bytes, path).count() : new ProtobufCounter(bytes, path).count();
}

class ProtobufCounter extends ProtobufReader {
  readonly #path: readonly Level[];

  constructor(bytes: Uint8Array, path: readonly Level[]) {
    super();
    this.buf = bytes;
    this.maxDepth = DEFAULT_DECODE_LIMITS.maxDepth;
    this.#path = path;
  }

  count(): number {
    return this.#countIn(0, this.buf.length, 0);
  }

  #countIn(start: number, end: number, depth: number): number {
    const { fields } = this.#path[depth]!;
    const last = depth === this.#path.length - 1;
    let found = 0;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      const field = tag >>> 3;
      if (field > 31 || ((fields >>> field) & 1) === 0) {
        pos = this.skip(tag, pos, end, 1);
        continue;
      }
      if ((tag & 7) !== 2) throw wrongWireType(tag, pos);
      pos = this.length(pos, end);
      const stop = this.stop;
      found += last ? 1 : this.#countIn(pos, stop, depth + 1);
      pos = stop;
    }
    return found;
  }
}

class JsonCounter extends JsonReader {
  readonly #path: readonly Level[];

  constructor(bytes: Uint8Array, path: readonly Level[]) {
    super();
    this.maxDepth = DEFAULT_DECODE_LIMITS.maxDepth;
    this.bindInput(bytes);
    this.#path = path;
  }

  count(): number {
    const found = this.#countIn(0);
    if (this.peek() >= 0) throw inputError('invalid_json', this.pos, 'something follows the end of the JSON value');
    return found;
  }

  #countIn(depth: number): number {
    const level = this.#path[depth]!;
    const last = depth === this.#path.length - 1;
    let found = 0;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      if (this.name(level.members) === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (level.single === true) found += this.#countIn(depth + 1);
      else {
        for (let another = this.openArray(); another; another = this.nextElement()) {
          if (this.takeNull()) continue;
          if (last) {
            this.skipValue(0);
            found++;
          } else found += this.#countIn(depth + 1);
        }
      }
    }
    return found;
  }
}
