import { ValueType } from '@clew/model';
import type { AttributeTable, SpanBatch } from '@clew/model';
import type { DecodeLimits } from '../limits.ts';
import { DecodeContext } from './decode-context.ts';
import { Nanos } from './nanos.ts';
import { Processes } from './processes.ts';
import { References } from './references.ts';
import { SpanTags } from './span-tags.ts';
import { KeyRole, isCarrierRole } from './tag-keys.ts';

/** Whose tags are being read. */
export const TagOwner = Object.freeze({ PROCESS: 0, SPAN: 1, LOG: 2 } as const);

const NONE = -1;

/**
 * Where both of Jaeger's encodings end: takes spans in Jaeger's terms and appends them to a batch in OpenTelemetry's. A
 * decoder reads a span's tags, references and logs into it as it meets them, and hands over the scalars at the end.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated per span.
 */
export class SpanSink {
  readonly context: DecodeContext = new DecodeContext();
  readonly processes: Processes = new Processes(this.context);
  readonly tags: SpanTags = new SpanTags(this.context);
  readonly references: References = new References(this.context);
  /** Times of the span or log being read. */
  readonly start: Nanos = new Nanos();
  readonly end: Nanos = new Nanos();
  #flagsKey = NONE;
  #parentRefKey = NONE;
  #processIdKey = NONE;
  /** The fields of the log being read that are its event's name: how many, and the last of them. */
  #nameFields = 0;
  #nameField = 0;

  bind(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits): void {
    this.context.bind(bytes, batch, limits);
    this.processes.bind();
    this.#flagsKey = NONE;
    this.#parentRefKey = NONE;
    this.#processIdKey = NONE;
  }

  /** Lets go of the batch. */
  release(): void {
    this.context.release();
  }

  /** Begins the span met at `at` and returns its row, which is the batch's once it ends; its ids are zero. */
  beginSpan(at: number): number {
    const { batch } = this.context;
    this.context.checkSpan(at);
    const row = batch.count;
    if (row === batch.names.length) batch.reserveSpans(1);
    this.tags.begin();
    this.references.begin();
    this.start.lo = 0;
    this.start.hi = 0;
    return row;
  }

  /**
   * Ends span `row` of `resource`, whose three ids are set, as are the times here. `flags` are Jaeger's, unsigned; `isGo` is what
   * {@link Processes.isGo} said of the process.
   */
  endSpan(at: number, row: number, resource: number, name: number, flags: number, isGo: boolean): void {
    const { batch } = this.context;
    const { times, spanAttrs } = batch;
    batch.names[row] = name;
    batch.kinds[row] = 0;
    batch.statusCodes[row] = 0;
    batch.statusMessages[row] = 0;
    batch.traceStates[row] = 0;
    batch.flags[row] = 0;
    batch.droppedAttributes[row] = 0;
    batch.droppedEvents[row] = 0;
    batch.droppedLinks[row] = 0;
    const t = row * 4;
    times[t] = this.start.lo;
    times[t + 1] = this.start.hi;
    times[t + 2] = this.end.lo;
    times[t + 3] = this.end.hi;
    this.tags.finish(row, isGo);
    batch.scopes[row] = this.processes.scope(at, resource, this.tags.scopeName, this.tags.scopeVersion);
    if (flags !== 0) {
      if (this.#flagsKey === NONE) this.#flagsKey = this.context.key('CARRIER_FLAGS');
      spanAttrs.push(this.#flagsKey, ValueType.INT, flags, 0);
    }
    if (this.references.finish(row)) {
      if (this.#parentRefKey === NONE) this.#parentRefKey = this.context.key('CARRIER_PARENT_REF_TYPE');
      this.context.pushRefType(spanAttrs, this.#parentRefKey, false);
    }
    batch.attrEnd[row] = spanAttrs.count;
    batch.eventEnd[row] = batch.events.count;
    batch.linkEnd[row] = batch.links.count;
    batch.count = row + 1;
  }

  /** Adds to the span ended last the id of its process, `hi` bytes at `lo` of the heap. */
  processId(row: number, lo: number, hi: number): void {
    const { batch } = this.context;
    if (this.#processIdKey === NONE) this.#processIdKey = this.context.key('CARRIER_PROCESS_ID');
    batch.spanAttrs.push(this.#processIdKey, ValueType.STRING, lo, hi);
    batch.attrEnd[row] = batch.spanAttrs.count;
  }

  /** Begins the log met at `at` as an event and returns its row; its time is to be set there. */
  beginLog(at: number): number {
    const { events, eventAttrs } = this.context.batch;
    this.context.countChild(at);
    this.#nameFields = 0;
    return events.add(eventAttrs.count);
  }

  /**
   * Keeps the tag that was written behind the last row of `table`, the table of its owner. Keys of carriers are this program's own: what
   * comes under them from outside is dropped.
   */
  keep(owner: number, table: AttributeTable): void {
    const row = table.count;
    const role = this.context.roles.of(table.keys[row]!);
    if (role !== KeyRole.PLAIN) {
      if (isCarrierRole(role)) return;
      if (owner === TagOwner.SPAN) this.tags.note(role, row);
      else if (owner === TagOwner.LOG && role === KeyRole.EVENT) {
        this.#nameFields++;
        this.#nameField = row;
      }
    }
    table.count = row + 1;
  }

  /**
   * Ends the event in `row`. The text of the field `event` is its name; the field goes away when it is the only one and not empty, because
   * then the name gives it back.
   */
  endLog(row: number): void {
    const { events, eventAttrs } = this.context.batch;
    const { keys, types, lo, hi } = eventAttrs;
    const at = this.#nameField;
    if (this.#nameFields > 0 && types[at] === ValueType.STRING && hi[at] !== 0) {
      events.names[row] = this.context.text(lo[at]!, hi[at]!);
      if (this.#nameFields === 1) {
        const last = --eventAttrs.count;
        for (let to = at; to < last; to++) {
          keys[to] = keys[to + 1]!;
          types[to] = types[to + 1]!;
          lo[to] = lo[to + 1]!;
          hi[to] = hi[to + 1]!;
        }
      }
    }
    events.attrEnd[row] = eventAttrs.count;
  }
}
