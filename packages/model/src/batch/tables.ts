import { grownCapacity, grownU32, grownU8, noBytes, noWords } from './columns.ts';

/**
 * The child tables of a batch. Every `attrEnd[row]` is one past the row's last attribute in the table of its level;
 * its first is `attrEnd[row - 1]` (0 for row 0). Hot paths, guarded by `bench/codec`.
 */

/** Events (logs of a span), in arrival order; a span's run is given by the batch's `eventEnd`. */
export class EventTable {
  count = 0;
  /** Two words a row: low and high half of the time in nanoseconds since 1970. */
  times: Uint32Array = noWords;
  names: Uint32Array = noWords;
  dropped: Uint32Array = noWords;
  attrEnd: Uint32Array = noWords;

  clear(): void {
    this.count = 0;
  }

  /** Adds a zeroed row and returns it; `attrStart` is the event attribute count before its own. */
  add(attrStart: number): number {
    const row = this.count++;
    if (row === this.names.length) {
      const capacity = grownCapacity(row, row + 1);
      this.times = grownU32(this.times, capacity * 2);
      this.names = grownU32(this.names, capacity);
      this.dropped = grownU32(this.dropped, capacity);
      this.attrEnd = grownU32(this.attrEnd, capacity);
    }
    this.times[row * 2] = 0;
    this.times[row * 2 + 1] = 0;
    this.names[row] = 0;
    this.dropped[row] = 0;
    this.attrEnd[row] = attrStart;
    return row;
  }
}

/** Links of spans; a span's run is given by the batch's `linkEnd`. */
export class LinkTable {
  count = 0;
  traceIds: Uint8Array = noBytes;
  spanIds: Uint8Array = noBytes;
  states: Uint32Array = noWords;
  flags: Uint32Array = noWords;
  dropped: Uint32Array = noWords;
  attrEnd: Uint32Array = noWords;

  clear(): void {
    this.count = 0;
  }

  /** Adds a zeroed row and returns it; `attrStart` is the link attribute count before its own. */
  add(attrStart: number): number {
    const row = this.count++;
    if (row === this.states.length) {
      const capacity = grownCapacity(row, row + 1);
      this.traceIds = grownU8(this.traceIds, capacity * 16);
      this.spanIds = grownU8(this.spanIds, capacity * 8);
      this.states = grownU32(this.states, capacity);
      this.flags = grownU32(this.flags, capacity);
      this.dropped = grownU32(this.dropped, capacity);
      this.attrEnd = grownU32(this.attrEnd, capacity);
    }
    this.traceIds.fill(0, row * 16, row * 16 + 16);
    this.spanIds.fill(0, row * 8, row * 8 + 8);
    this.states[row] = 0;
    this.flags[row] = 0;
    this.dropped[row] = 0;
    this.attrEnd[row] = attrStart;
    return row;
  }
}

/** Instrumentation scopes; each belongs to one resource, spans point at scopes. */
export class ScopeTable {
  count = 0;
  resources: Uint32Array = noWords;
  names: Uint32Array = noWords;
  versions: Uint32Array = noWords;
  schemaUrls: Uint32Array = noWords;
  dropped: Uint32Array = noWords;
  attrEnd: Uint32Array = noWords;

  clear(): void {
    this.count = 0;
  }

  /** Adds a zeroed row of `resource` and returns it. */
  add(resource: number, attrStart: number): number {
    const row = this.count++;
    if (row === this.names.length) {
      const capacity = grownCapacity(row, row + 1);
      this.resources = grownU32(this.resources, capacity);
      this.names = grownU32(this.names, capacity);
      this.versions = grownU32(this.versions, capacity);
      this.schemaUrls = grownU32(this.schemaUrls, capacity);
      this.dropped = grownU32(this.dropped, capacity);
      this.attrEnd = grownU32(this.attrEnd, capacity);
    }
    this.resources[row] = resource;
    this.names[row] = 0;
    this.versions[row] = 0;
    this.schemaUrls[row] = 0;
    this.dropped[row] = 0;
    this.attrEnd[row] = attrStart;
    return row;
  }
}

/** Resources: who sent the spans. */
export class ResourceTable {
  count = 0;
  schemaUrls: Uint32Array = noWords;
  dropped: Uint32Array = noWords;
  attrEnd: Uint32Array = noWords;
  /**
   * Two words a row: offset and length in the heap of the resource's `entity_refs` as OTLP wire bytes,
   * each message preceded by its tag and length (field 3 of `Resource`), kept as sent.
   */
  entityRefs: Uint32Array = noWords;

  clear(): void {
    this.count = 0;
  }

  /** Adds a zeroed row and returns it. */
  add(attrStart: number): number {
    const row = this.count++;
    if (row === this.dropped.length) {
      const capacity = grownCapacity(row, row + 1);
      this.schemaUrls = grownU32(this.schemaUrls, capacity);
      this.dropped = grownU32(this.dropped, capacity);
      this.attrEnd = grownU32(this.attrEnd, capacity);
      this.entityRefs = grownU32(this.entityRefs, capacity * 2);
    }
    this.schemaUrls[row] = 0;
    this.dropped[row] = 0;
    this.attrEnd[row] = attrStart;
    this.entityRefs[row * 2] = 0;
    this.entityRefs[row * 2 + 1] = 0;
    return row;
  }
}
