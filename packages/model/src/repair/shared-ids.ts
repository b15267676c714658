import { SpanKind } from '../otlp-numbers.ts';
import { derivedSpanId } from './derived-span-id.ts';

/**
 * Spans of one trace that have one id. Zipkin's clients let caller and callee share an id (https://github.com/openzipkin/b3-propagation):
 * the two are *halves* of one call, told apart here when the trace is read. Other spans of one id are *duplicates*: their sender numbers
 * badly, or sent a span twice with different content.
 *
 * | Spans of one id | keeps the id | the others |
 * | --- | --- | --- |
 * | a client span and server spans | the client span that starts first | each server span becomes its child, under an id of its own |
 * | anything else | the span that starts first | keep their parents, under ids of their own |
 *
 * Spans that name such an id as parent belong to the server span of their own service, the last that had started by then; where no
 * server span is of their service, to the span that keeps the id.
 */

/** What is asked of the spans of a trace, by row. */
export interface IdColumns {
  /** Span ids as sent; `''` where absent. */
  readonly spanIds: readonly string[];
  /** OTLP `SpanKind`. */
  readonly kinds: Int32Array;
  /** `service.name` of the spans' resources. */
  readonly services: readonly string[];
  readonly startsUnixNano: BigUint64Array;
  /** Whether the sender marked the span as the server half of a shared id. Asked only of spans whose id repeats. */
  isMarkedShared(row: number): boolean;
}

/** What a span's id is to the other spans of its trace. */
export type IdUse = 'unique' | 'half' | 'duplicate';

/** What a span of a repeated id is. */
const Role = Object.freeze({
  UNIQUE: 0,
  OTHER: 1,
  SERVER: 2,
  MARKED_SERVER: 3,
  CLIENT_HALF: 4,
  SERVER_HALF: 5,
} as const);

/**
 * Tells spans that share an id apart. One pass over the ids; what repeats is sorted once more. Groups are numbered from 1, and their
 * spans lie together in `members`: the server spans first, by service, then start.
 */
export class SharedIds {
  readonly #columns: IdColumns;
  /** By id the first row that has it. */
  readonly #firstRows = new Map<string, number>();
  /** By row the group of spans with its id, 0 when there is no other. */
  readonly #groups: Int32Array;
  #groupCount = 0;
  readonly #roles: Uint8Array;
  #members: Int32Array = new Int32Array(0);
  /** By group: where its members begin, one past its server spans, and the row that keeps the id. */
  #starts: Int32Array = new Int32Array(0);
  #serverEnds: Int32Array = new Int32Array(0);
  #keepers: Int32Array = new Int32Array(0);
  /** By row, the id of a span that may not keep the one it was sent with. */
  readonly #derived = new Map<number, string>();

  constructor(columns: IdColumns) {
    this.#columns = columns;
    const { spanIds } = columns;
    this.#groups = new Int32Array(spanIds.length);
    for (let row = 0; row < spanIds.length; row++) this.#index(row, spanIds[row]!);
    this.#roles = new Uint8Array(this.#groupCount === 0 ? 0 : spanIds.length);
    if (this.#groupCount === 0) return;
    this.#gather();
    for (let group = 1; group <= this.#groupCount; group++) this.#tellApart(group);
    this.#deriveIds();
  }

  /** The id that names span `row` alone: the one it was sent with, unless another span keeps that; `''` when it was sent without. */
  idOf(row: number): string {
    return this.#derived.get(row) ?? this.#columns.spanIds[row]!;
  }

  /** Whether some span was sent with this id. */
  has(id: string): boolean {
    return this.#firstRows.has(id);
  }

  /** What the id of span `row` is to the other spans. */
  useOf(row: number): IdUse {
    if (this.#groups[row] === 0) return 'unique';
    return this.#roles[row]! >= Role.CLIENT_HALF ? 'half' : 'duplicate';
  }

  /** The row of the parent of span `row`, which names `parentId` (`''` for none); -1 when it has none, or it is not here. */
  parentOf(row: number, parentId: string): number {
    if (this.#roles[row] === Role.SERVER_HALF) return this.#keepers[this.#groups[row]!]!;
    if (parentId === '') return -1;
    const first = this.#firstRows.get(parentId);
    if (first === undefined) return -1;
    const group = this.#groups[first]!;
    if (group !== 0) return this.#holderOf(group, row);
    return first === row ? -1 : first;
  }

  #index(row: number, id: string): void {
    if (id === '') return;
    const first = this.#firstRows.get(id);
    if (first === undefined) {
      this.#firstRows.set(id, row);
      return;
    }
    if (this.#groups[first] === 0) this.#groups[first] = ++this.#groupCount;
    this.#groups[row] = this.#groups[first]!;
  }

  /** Puts the members of each group side by side. */
  #gather(): void {
    const groups = this.#groups;
    const starts = new Int32Array(this.#groupCount + 2);
    for (const group of groups) if (group !== 0) starts[group + 1]!++;
    for (let group = 1; group < starts.length; group++) starts[group]! += starts[group - 1]!;
    this.#members = new Int32Array(starts[this.#groupCount + 1]!);
    const next = starts.slice();
    for (let row = 0; row < groups.length; row++) {
      const group = groups[row]!;
      if (group !== 0) this.#members[next[group]!++] = row;
    }
    this.#starts = starts;
    this.#serverEnds = new Int32Array(this.#groupCount + 1);
    this.#keepers = new Int32Array(this.#groupCount + 1);
  }

  /** Says what each member of a group is, and sorts them. */
  #tellApart(group: number): void {
    const { kinds } = this.#columns;
    const members = this.#members.subarray(this.#starts[group], this.#starts[group + 1]);
    const roles = this.#roles;
    let servers = 0;
    let isMarked = false;
    for (const row of members) {
      const isServer = kinds[row] === SpanKind.SERVER;
      const mark = this.#columns.isMarkedShared(row);
      roles[row] = mark ? Role.MARKED_SERVER : isServer ? Role.SERVER : Role.OTHER;
      if (roles[row] !== Role.OTHER) servers++;
      isMarked ||= mark;
    }
    const client = servers === 0 ? -1 : this.#clientAmong(members, isMarked);
    if (client >= 0) {
      for (const row of members) if (roles[row] !== Role.OTHER) roles[row] = Role.SERVER_HALF;
      roles[client] = Role.CLIENT_HALF;
    }
    this.#keepers[group] = client >= 0 ? client : this.#earliestAmong(members);
    members.sort((a, b) => this.#byServiceAndStart(a, b));
    this.#serverEnds[group] = this.#starts[group]! + servers;
  }

  /** The client half: the first client span. A mark on another span proves that there is one, so any span may be it. */
  #clientAmong(members: Int32Array, isMarked: boolean): number {
    const { kinds } = this.#columns;
    const roles = this.#roles;
    let client = -1;
    let other = -1;
    for (const row of members) {
      if (roles[row] !== Role.OTHER) continue;
      if (kinds[row] === SpanKind.CLIENT && (client < 0 || this.#isBefore(row, client))) client = row;
      if (other < 0 || this.#isBefore(row, other)) other = row;
    }
    return client >= 0 || !isMarked ? client : other;
  }

  #earliestAmong(members: Int32Array): number {
    let earliest = members[0]!;
    for (const row of members) if (this.#isBefore(row, earliest)) earliest = row;
    return earliest;
  }

  /** The member of a group that is the parent of span `row`, -1 for none. */
  #holderOf(group: number, row: number): number {
    const found = this.#serverOf(group, row);
    if (found >= 0) return found;
    const keeper = this.#keepers[group]!;
    return keeper === row ? -1 : keeper;
  }

  /** The last server span of the service of span `row` that had started by its start, else the first of that service; -1 for none. */
  #serverOf(group: number, row: number): number {
    const { services, startsUnixNano } = this.#columns;
    const service = services[row]!;
    const start = startsUnixNano[row]!;
    const from = this.#starts[group]!;
    const to = this.#serverEnds[group]!;
    let low = from;
    for (let high = to; low < high;) {
      const middle = (low + high) >>> 1;
      const member = this.#members[middle]!;
      const own = services[member]!;
      const isAfter = own === service ? startsUnixNano[member]! > start : own > service;
      if (isAfter) high = middle;
      else low = middle + 1;
    }
    for (const at of [low - 1, low, low - 2]) {
      const member = at < from || at >= to ? -1 : this.#members[at]!;
      if (member >= 0 && member !== row && services[member] === service) return member;
    }
    return -1;
  }

  #byServiceAndStart(a: number, b: number): number {
    const roles = this.#roles;
    const aIsServer = isServerRole(roles[a]!);
    if (aIsServer !== isServerRole(roles[b]!)) return aIsServer ? -1 : 1;
    const { services } = this.#columns;
    if (services[a] !== services[b]) return services[a]! < services[b]! ? -1 : 1;
    return this.#isBefore(a, b) ? -1 : 1;
  }

  #isBefore(a: number, b: number): boolean {
    const { startsUnixNano } = this.#columns;
    return startsUnixNano[a] === startsUnixNano[b] ? a < b : startsUnixNano[a]! < startsUnixNano[b]!;
  }

  /** Gives every member but the keeper an id that depends on nothing but the span, so that links to it go on working. */
  #deriveIds(): void {
    const { spanIds, services, kinds, startsUnixNano } = this.#columns;
    const taken = new Set<string>();
    for (const row of this.#members) {
      if (this.#keepers[this.#groups[row]!] === row) continue;
      const facts = `${spanIds[row]!} ${kinds[row]!} ${startsUnixNano[row]!} ${services[row]!}`;
      let id = derivedSpanId(facts, 0);
      for (let attempt = 1; taken.has(id) || this.#firstRows.has(id); attempt++) id = derivedSpanId(facts, attempt);
      taken.add(id);
      this.#derived.set(row, id);
    }
  }
}

function isServerRole(role: number): boolean {
  return role === Role.SERVER || role === Role.MARKED_SERVER || role === Role.SERVER_HALF;
}
