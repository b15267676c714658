import {
  CarrierFormat,
  SpanBatch,
  StatusCode,
  ValueType,
  bytesOfText,
  compareWords,
  equalBytes,
  isZero,
  subtractHigh,
  subtractLow,
} from '@clew/model';
import { KeyRole, KeyRoles, isCarrierRole, tagKeyBytes } from './tag-keys.ts';
import { equalsText, kindNames } from './tag-values.ts';
import { readWarnings } from './warnings.ts';

const NO_BATCH = new SpanBatch();
const NONE = -1;
const EMPTY = new Uint8Array(0);
const jaegerFormat = bytesOfText(CarrierFormat.JAEGER);
const followsFrom = bytesOfText('follows_from');
const childOf = bytesOfText('child_of');
const okText = bytesOfText('OK');
const errorText = bytesOfText('ERROR');

/** The parent, where {@link SpanView.referenceLinks} has a row of links otherwise. */
export const PARENT = -1;

/**
 * One span of a batch in Jaeger's terms, the counterpart of `SpanSink`: what its carriers say, the tags that its fields become, its
 * references. The encoders write what they find here and the attributes whose keys are no carriers'.
 *
 * A field becomes a tag only when no attribute has that key: what was sent wins. Nothing is allocated per span.
 */
export class SpanView {
  batch: SpanBatch = NO_BATCH;
  readonly roles: KeyRoles = new KeyRoles();
  /** Attributes of the span: rows `[firstAttribute, lastAttribute)`, of which `tagCount` are tags. */
  firstAttribute = 0;
  lastAttribute = 0;
  tagCount = 0;
  /** Jaeger's flags, unsigned. */
  flags = 0;
  /** Attributes that are fields in protobuf: the id of the process and the warnings; -1 for none. */
  processIdRow = NONE;
  warningsRow = NONE;
  /** The warnings, as pairs of offsets into the heap where each begins and ends. */
  readonly warnings: number[] = [];
  /** Tags from fields: keys, and as values texts, each a range of its source; the tag `error` is the bool true. */
  derivedCount = 0;
  readonly derivedKeys: Uint8Array[] = [];
  readonly derivedSources: Uint8Array[] = [];
  readonly derivedStarts: number[] = [];
  readonly derivedEnds: number[] = [];
  /** How many of them stand before the attributes. */
  derivedLeading = 0;
  /** References: rows of links or {@link PARENT}, and whether each is CHILD_OF. */
  referenceCount = 0;
  readonly referenceLinks: number[] = [];
  readonly referenceIsChildOf: boolean[] = [];
  hasParent = false;
  /** The duration's magnitude in nanoseconds, and whether the span ends before it starts. */
  durationLo = 0;
  durationHi = 0;
  isNegative = false;
  /** Roles of the span's attributes as a bit set. */
  #seen = 0;
  #isFollowing = false;

  bind(batch: SpanBatch): void {
    this.batch = batch;
    this.roles.bind(batch.strings);
  }

  /** Lets go of the batch. */
  release(): void {
    this.batch = NO_BATCH;
    this.roles.release();
    this.derivedSources.length = 0;
  }

  /**
   * Looks at span `row`. `namesParent` asks for a reference to the parent in any case; otherwise there is one only where a field
   * for the parent's id would not say everything.
   */
  look(row: number, namesParent: boolean): void {
    this.#attributes(row);
    this.#derive(row);
    this.#duration(row);
    this.#references(row, namesParent);
  }

  #attributes(row: number): void {
    const { batch, roles } = this;
    const { keys, types, lo, hi } = batch.spanAttrs;
    this.firstAttribute = row === 0 ? 0 : batch.attrEnd[row - 1]!;
    this.lastAttribute = batch.attrEnd[row]!;
    this.flags = batch.flags[row]! & 1;
    this.processIdRow = NONE;
    this.warningsRow = NONE;
    this.#seen = 0;
    this.#isFollowing = false;
    let count = 0;
    for (let at = this.firstAttribute; at < this.lastAttribute; at++) {
      const role = roles.of(keys[at]!);
      this.#seen |= 1 << role;
      if (!isCarrierRole(role)) count++;
      if (role === KeyRole.CARRIER_FLAGS && types[at] === ValueType.INT) this.flags = lo[at]!;
      else if (role === KeyRole.CARRIER_PARENT_REF_TYPE && types[at] === ValueType.STRING) {
        this.#isFollowing = equalsText(batch.heap, lo[at]!, hi[at]!, followsFrom, false);
      } else if (role === KeyRole.CARRIER_PROCESS_ID && types[at] === ValueType.STRING) this.processIdRow = at;
      else if (role === KeyRole.WARNINGS && types[at] === ValueType.ARRAY && this.warningsRow === NONE) {
        if (readWarnings(batch.heap, lo[at]!, lo[at]! + hi[at]!, this.warnings)) this.warningsRow = at;
      }
    }
    this.tagCount = count;
  }

  #derive(row: number): void {
    const { batch } = this;
    const { scopeTable } = batch;
    this.derivedCount = 0;
    const scope = batch.scopes[row]!;
    this.#deriveString(KeyRole.SCOPE_NAME, tagKeyBytes.SCOPE_NAME, scopeTable.names[scope]!);
    this.#deriveString(KeyRole.SCOPE_VERSION, tagKeyBytes.SCOPE_VERSION, scopeTable.versions[scope]!);
    this.derivedLeading = this.derivedCount;
    const kind = kindNames[batch.kinds[row]!];
    if (kind !== undefined && kind.length > 0) this.#deriveText(KeyRole.SPAN_KIND, tagKeyBytes.SPAN_KIND, kind);
    const status = batch.statusCodes[row]!;
    if (status === StatusCode.OK) this.#deriveText(KeyRole.STATUS_CODE, tagKeyBytes.STATUS_CODE, okText);
    if (status === StatusCode.ERROR) {
      this.#deriveText(KeyRole.STATUS_CODE, tagKeyBytes.STATUS_CODE, errorText);
      this.#deriveText(KeyRole.ERROR, tagKeyBytes.ERROR, EMPTY);
    }
    const message = batch.statusMessages[row]!;
    this.#deriveString(KeyRole.STATUS_DESCRIPTION, tagKeyBytes.STATUS_DESCRIPTION, message);
    this.#deriveString(KeyRole.TRACE_STATE, tagKeyBytes.TRACE_STATE, batch.traceStates[row]!);
  }

  #deriveText(role: number, key: Uint8Array, text: Uint8Array): void {
    this.#deriveRange(role, key, text, 0, text.length);
  }

  /** A string of the dictionary, unless it is the empty one. */
  #deriveString(role: number, key: Uint8Array, index: number): void {
    const { strings } = this.batch;
    if (index !== 0) this.#deriveRange(role, key, strings.bytes, strings.ends[index - 1]!, strings.ends[index]!);
  }

  #deriveRange(role: number, key: Uint8Array, source: Uint8Array, start: number, end: number): void {
    if ((this.#seen & (1 << role)) !== 0) return;
    const at = this.derivedCount++;
    this.derivedKeys[at] = key;
    this.derivedSources[at] = source;
    this.derivedStarts[at] = start;
    this.derivedEnds[at] = end;
  }

  #duration(row: number): void {
    const { times } = this.batch;
    const t = row * 4;
    this.isNegative = compareWords(times[t + 2]!, times[t + 3]!, times[t]!, times[t + 1]!) < 0;
    const from = this.isNegative ? t + 2 : t;
    const to = this.isNegative ? t : t + 2;
    this.durationLo = subtractLow(times[to]!, times[from]!);
    this.durationHi = subtractHigh(times[to]!, times[to + 1]!, times[from]!, times[from + 1]!);
  }

  /**
   * The parent first, then the links. A link of OpenTelemetry's that points at the parent tells the type of the reference to it and is no
   * reference of its own; among those Jaeger sent it was one more.
   */
  #references(row: number, namesParent: boolean): void {
    const { batch } = this;
    this.referenceCount = 0;
    this.hasParent = !isZero(batch.parentIds, row * 8, 8);
    const first = row === 0 ? 0 : batch.linkEnd[row - 1]!;
    const end = batch.linkEnd[row]!;
    const merges = this.hasParent && first < end && !this.#isJaegers(batch.scopes[row]!);
    let isFollowing = this.#isFollowing;
    let hasLinkToParent = false;
    let hasChildOf = false;
    for (let link = first; link < end; link++) {
      const type = this.#linkType(link);
      const isWithin = equalBytes(batch.links.traceIds, link * 16, batch.traceIds, row * 16, 16);
      const isParent = isWithin && equalBytes(batch.links.spanIds, link * 8, batch.parentIds, row * 8, 8);
      if (merges && isParent) {
        if (type !== LinkType.UNKNOWN) isFollowing = type === LinkType.FOLLOWS_FROM;
        continue;
      }
      if (isParent) hasLinkToParent = true;
      if (isWithin && type === LinkType.CHILD_OF && !isZero(batch.links.spanIds, link * 8, 8)) hasChildOf = true;
      this.#addReference(link, type === LinkType.CHILD_OF);
    }
    if (!this.hasParent) return;
    // A FOLLOWS_FROM parent is found only when no CHILD_OF reference within the trace stands beside it.
    const isHidden = isFollowing && hasChildOf;
    if (namesParent || isFollowing || hasLinkToParent) this.#bringForward(!isFollowing);
    if (isHidden) this.#bringForward(true);
  }

  #addReference(link: number, isChildOf: boolean): void {
    const at = this.referenceCount++;
    this.referenceLinks[at] = link;
    this.referenceIsChildOf[at] = isChildOf;
  }

  /** Puts a reference to the parent before all others. */
  #bringForward(isChildOf: boolean): void {
    this.#addReference(PARENT, isChildOf);
    this.referenceLinks.copyWithin(1, 0, this.referenceCount - 1);
    this.referenceIsChildOf.copyWithin(1, 0, this.referenceCount - 1);
    this.referenceLinks[0] = PARENT;
    this.referenceIsChildOf[0] = isChildOf;
  }

  #linkType(link: number): number {
    const { links, linkAttrs, heap } = this.batch;
    const { keys, types, lo, hi } = linkAttrs;
    for (let at = link === 0 ? 0 : links.attrEnd[link - 1]!; at < links.attrEnd[link]!; at++) {
      if (this.roles.of(keys[at]!) !== KeyRole.REF_TYPE || types[at] !== ValueType.STRING) continue;
      return equalsText(heap, lo[at]!, hi[at]!, childOf, false) ? LinkType.CHILD_OF : LinkType.FOLLOWS_FROM;
    }
    return LinkType.UNKNOWN;
  }

  /** Whether the spans of a scope came from Jaeger. */
  #isJaegers(scope: number): boolean {
    const { scopeTable, scopeAttrs, heap } = this.batch;
    const { keys, types, lo, hi } = scopeAttrs;
    for (let at = scope === 0 ? 0 : scopeTable.attrEnd[scope - 1]!; at < scopeTable.attrEnd[scope]!; at++) {
      if (this.roles.of(keys[at]!) !== KeyRole.CARRIER_FORMAT || types[at] !== ValueType.STRING) continue;
      return equalsText(heap, lo[at]!, hi[at]!, jaegerFormat, false);
    }
    return false;
  }

  /** How many attributes of an event are fields of a log, the one for its name included. */
  fieldCount(event: number): number {
    const { events, eventAttrs } = this.batch;
    let count = this.namesEvent(event) ? 1 : 0;
    for (let at = this.firstField(event); at < events.attrEnd[event]!; at++) {
      if (!isCarrierRole(this.roles.of(eventAttrs.keys[at]!))) count++;
    }
    return count;
  }

  /** The first attribute of an event. */
  firstField(event: number): number {
    return event === 0 ? 0 : this.batch.events.attrEnd[event - 1]!;
  }

  /** Whether the name of an event becomes the field `event`. */
  namesEvent(event: number): boolean {
    const { events, eventAttrs } = this.batch;
    if (events.names[event] === 0) return false;
    for (let at = this.firstField(event); at < events.attrEnd[event]!; at++) {
      if (this.roles.of(eventAttrs.keys[at]!) === KeyRole.EVENT) return false;
    }
    return true;
  }
}

const LinkType = Object.freeze({ CHILD_OF: 0, FOLLOWS_FROM: 1, UNKNOWN: 2 } as const);
