import { isZero, readSpanId, readTraceId, type SpanId, type TraceId } from '../ids.ts';
import { nanosOfWords, type UnixNano } from '../times.ts';
import { AttributeCursor } from './attribute-cursor.ts';
import { EventCursor, LinkCursor } from './child-cursors.ts';
import { AttributeLevel } from './edit-log.ts';
import type { SpanBatch } from './span-batch.ts';

/**
 * Reads a batch span by span, pending edits included, without allocating: one cursor is moved over all rows. Its parts
 * (`attributes`, `events`, …) belong to the cursor and move with it; who needs two spans at once needs two cursors.
 * Accessors whose name begins with `decode` allocate. Names and keys are indexes into the batch's string table.
 *
 * ```ts
 * const cursor = new SpanCursor(batch);
 * const route = batch.strings.find('http.route');
 * while (cursor.next()) if (cursor.attributes.find(route)) …
 * ```
 *
 * A hot path, guarded by `bench/batch`.
 */
export class SpanCursor {
  readonly batch: SpanBatch;
  /** The current row; -1 before the first. */
  row = -1;

  readonly #attributes: AttributeCursor;
  readonly #events: EventCursor;
  readonly #links: LinkCursor;
  readonly #scopeAttributes: AttributeCursor;
  readonly #resourceAttributes: AttributeCursor;

  constructor(batch: SpanBatch) {
    this.batch = batch;
    this.#attributes = new AttributeCursor(batch, batch.spanAttrs, AttributeLevel.SPAN);
    this.#events = new EventCursor(batch);
    this.#links = new LinkCursor(batch);
    this.#scopeAttributes = new AttributeCursor(batch, batch.scopeAttrs, AttributeLevel.SCOPE);
    this.#resourceAttributes = new AttributeCursor(batch, batch.resourceAttrs, AttributeLevel.RESOURCE);
  }

  /** Moves to the next span; false when there is none. */
  next(): boolean {
    if (this.row + 1 >= this.batch.count) return false;
    this.moveTo(this.row + 1);
    return true;
  }

  /** Moves to `row`, 0 to `batch.count - 1`. */
  moveTo(row: number): this {
    const { attrEnd, eventEnd, linkEnd } = this.batch;
    this.row = row;
    this.#scopeAttributes.owner = -1;
    this.#resourceAttributes.owner = -1;
    this.#attributes.open(row, row === 0 ? 0 : attrEnd[row - 1]!, attrEnd[row]!);
    this.#events.open(row === 0 ? 0 : eventEnd[row - 1]!, eventEnd[row]!);
    this.#links.open(row === 0 ? 0 : linkEnd[row - 1]!, linkEnd[row]!);
    return this;
  }

  /** Attributes of the span, standing before the first after each move. */
  get attributes(): AttributeCursor {
    return this.#attributes;
  }

  /** Events of the span, standing before the first after each move. */
  get events(): EventCursor {
    return this.#events;
  }

  /** Links of the span, standing before the first after each move. */
  get links(): LinkCursor {
    return this.#links;
  }

  /** Attributes of the span's scope, standing before the first after each move. */
  get scopeAttributes(): AttributeCursor {
    const scope = this.scope;
    const attributes = this.#scopeAttributes;
    if (attributes.owner !== scope) {
      const ends = this.batch.scopeTable.attrEnd;
      attributes.open(scope, scope === 0 ? 0 : ends[scope - 1]!, ends[scope]!);
    }
    return attributes;
  }

  /** Attributes of the span's resource, standing before the first after each move. */
  get resourceAttributes(): AttributeCursor {
    return this.#resourceAt(this.resource);
  }

  get name(): number {
    return this.batch.names[this.row]!;
  }

  /** OTLP `SpanKind`, as sent: numbers the enum does not know included. */
  get kind(): number {
    return this.batch.kinds[this.row]!;
  }

  /** OTLP `Status.code`, as sent: 0 unset, 1 ok, 2 error, others possible. */
  get statusCode(): number {
    return this.batch.statusCodes[this.row]!;
  }

  get statusMessage(): number {
    return this.batch.statusMessages[this.row]!;
  }

  get traceState(): number {
    return this.batch.traceStates[this.row]!;
  }

  /** OTLP span flags, all 32 bits. */
  get flags(): number {
    return this.batch.flags[this.row]!;
  }

  get startLo(): number {
    return this.batch.times[this.row * 4]!;
  }

  get startHi(): number {
    return this.batch.times[this.row * 4 + 1]!;
  }

  get endLo(): number {
    return this.batch.times[this.row * 4 + 2]!;
  }

  get endHi(): number {
    return this.batch.times[this.row * 4 + 3]!;
  }

  get droppedAttributes(): number {
    return this.batch.droppedAttributes[this.row]!;
  }

  get droppedEvents(): number {
    return this.batch.droppedEvents[this.row]!;
  }

  get droppedLinks(): number {
    return this.batch.droppedLinks[this.row]!;
  }

  /** Row of the span's scope in `batch.scopeTable`. */
  get scope(): number {
    return this.batch.scopes[this.row]!;
  }

  /** Row of the span's resource in `batch.resourceTable`. */
  get resource(): number {
    return this.batch.scopeTable.resources[this.scope]!;
  }

  /** Whether the span has a parent id, that is one that is not zero. */
  get hasParent(): boolean {
    return !isZero(this.batch.parentIds, this.row * 8, 8);
  }

  decodeTraceId(): TraceId | '' {
    return readTraceId(this.batch.traceIds, this.row * 16);
  }

  decodeSpanId(): SpanId | '' {
    return readSpanId(this.batch.spanIds, this.row * 8);
  }

  decodeParentId(): SpanId | '' {
    return readSpanId(this.batch.parentIds, this.row * 8);
  }

  decodeStart(): UnixNano {
    return nanosOfWords(this.startLo, this.startHi);
  }

  decodeEnd(): UnixNano {
    return nanosOfWords(this.endLo, this.endHi);
  }

  /** The span's name as shown text. */
  decodeName(): string {
    return this.batch.strings.text(this.name);
  }

  /** The resource's `service.name` as shown text; `undefined` when it has none that is a string. */
  decodeServiceName(): string | undefined {
    return this.decodeServiceOf(this.resource);
  }

  /** Like {@link SpanCursor.decodeServiceName} for any row of the batch's resource table. */
  decodeServiceOf(resource: number): string | undefined {
    const attributes = this.#resourceAt(resource);
    return attributes.findText('service.name') ? attributes.decodeString() : undefined;
  }

  #resourceAt(resource: number): AttributeCursor {
    const attributes = this.#resourceAttributes;
    if (attributes.owner !== resource) {
      const ends = this.batch.resourceTable.attrEnd;
      attributes.open(resource, resource === 0 ? 0 : ends[resource - 1]!, ends[resource]!);
    }
    return attributes;
  }
}
