import { Carrier, CarrierFormat, SpanBatch, SpanKind, ValueType, compactBatch, isZero } from '@clew/model';
import { WireError } from '../errors.ts';
import { JsonWriter } from '../json/json-writer.ts';
import { TextBuffer } from '../json/text-buffer.ts';
import { isCanonicalAddress, parseAddress } from './addresses.ts';
import { ROLE_END, Role } from './attribute-roles.ts';
import { writeEventText, writeValueText } from './attribute-text.ts';
import { EndpointView } from './endpoint-view.ts';
import { setMicros } from './micros.ts';
import { SERVICE_NAME_SOURCES, isText } from './special-tags.ts';
import { readErrorTag } from './status-tags.ts';
import type { ErrorTag } from './status-tags.ts';
import { TagCollector } from './tag-collector.ts';
import { TextTable } from './text-table.ts';

const NO_BATCH = new SpanBatch();
const WORD = 2 ** 32;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Settings of a Zipkin encoder. */
export interface ZipkinEncodeOptions {
  /** The rows to write; default all. */
  readonly rows?: ArrayLike<number>;
  /**
   * Whether to write spans as they are. By default they are written as Zipkin's own writers do: names and service names in
   * lower case, tags sorted by key and of equal keys the last, annotations sorted by time and text without equal ones, and
   * `shared` not on client spans.
   */
  readonly keepCase?: boolean;
  /** The service name of spans that have none; default none. */
  readonly missingServiceName?: string;
}

/**
 * One span of a batch as a Zipkin v2 span: what all Zipkin encoders write. `open` binds it to a batch, `load` moves it to a
 * row. All texts lie in `texts`.
 */
export class ZipkinSpanView {
  batch: SpanBatch = NO_BATCH;
  row = 0;
  readonly texts: JsonWriter = new JsonWriter();
  /** Zipkin's number: 0 none, 1 client, 2 server, 3 producer, 4 consumer. */
  kind = 0;
  nameStart = 0;
  nameEnd = 0;
  /** Microseconds as two words; 0 for absent. */
  timestampLo = 0;
  timestampHi = 0;
  durationLo = 0;
  durationHi = 0;
  isShared = false;
  isDebug = false;
  /** Whether the tag `component` was `lc` in a v1 span. */
  isLocalComponent = false;
  readonly local: EndpointView = new EndpointView();
  readonly remote: EndpointView = new EndpointView();
  readonly annotations: TextTable = new TextTable();

  get tags(): TextTable {
    return this.#collector.tags;
  }

  #options: ZipkinEncodeOptions = {};
  #isExact = false;
  #needsCanonical = false;
  readonly #collector = new TagCollector();
  #formatKey = -1;
  /** Dictionary indexes of {@link SERVICE_NAME_SOURCES}, -1 for those no attribute has. */
  #sourceKeys: number[] = [];
  /** By role: the attribute that is the field, or -1. */
  readonly #chosen = new Int32Array(ROLE_END);
  readonly #error: ErrorTag = { count: 0, isError: false, messageAt: 0, messageLength: 0 };
  readonly #scratch = new TextBuffer();
  readonly #micros = { lo: 0, hi: 0 };

  /** `needsCanonical`: the format keeps addresses as bytes, so that only a text these give back can be one. */
  open(batch: SpanBatch, options: ZipkinEncodeOptions, needsCanonical: boolean): void {
    compactBatch(batch);
    const { strings } = batch;
    this.batch = batch;
    this.#options = options;
    this.#isExact = options.keepCase ?? false;
    this.#needsCanonical = needsCanonical;
    this.#collector.open(batch, this.texts);
    this.#formatKey = strings.find(Carrier.FORMAT);
    this.#sourceKeys = SERVICE_NAME_SOURCES.map((key) => strings.find(key));
  }

  release(): void {
    this.batch = NO_BATCH;
    this.#collector.release();
    this.texts.reset();
  }

  /** Throws `invalid_id` for a span without trace or span id. */
  load(row: number): void {
    const { batch, texts } = this;
    if (isZero(batch.traceIds, row * 16, 16)) throw invalidId('TraceID', row);
    if (isZero(batch.spanIds, row * 8, 8)) throw invalidId('SpanID', row);
    this.row = row;
    texts.length = 0;
    this.#collector.begin(row);
    this.annotations.count = 0;
    this.local.clear();
    this.remote.clear();
    this.isShared = this.isDebug = this.isLocalComponent = false;
    const isZipkin = this.#isFromZipkin(row);
    this.kind = NUMBER_OF_KIND[batch.kinds[row]!] ?? 0;
    this.nameStart = texts.length;
    this.#name(batch.strings.bytes, batch.strings.start(batch.names[row]!), batch.strings.ends[batch.names[row]!]!);
    this.nameEnd = texts.length;
    this.#chooseFields(row, isZipkin);
    this.#fields(isZipkin);
    this.#inherited(row);
    this.#collector.derived(this.#error, isZipkin);
    this.#spanTags(row);
    this.#times(row);
    this.#events(row);
    if (this.#isExact) {
      this.tags.inOrder();
      this.annotations.inOrder();
      return;
    }
    this.tags.byKey(texts.bytes);
    this.annotations.byTime(texts.bytes);
    if (this.kind === 1) this.isShared = false;
  }

  #isFromZipkin(row: number): boolean {
    const { scopes, scopeTable, scopeAttrs, heap } = this.batch;
    if (this.#formatKey < 0) return false;
    const scope = scopes[row]!;
    for (let at = runStart(scopeTable.attrEnd, scope); at < scopeTable.attrEnd[scope]!; at++) {
      if (scopeAttrs.keys[at] !== this.#formatKey || scopeAttrs.types[at] !== ValueType.STRING) continue;
      return isText(heap, scopeAttrs.lo[at]!, scopeAttrs.hi[at]!, CarrierFormat.ZIPKIN);
    }
    return false;
  }

  /** Appends a span's or service's name, in lower case unless spans are written as they are. */
  #name(bytes: Uint8Array, start: number, end: number): void {
    const { texts } = this;
    const from = texts.length;
    texts.append(bytes, start, end);
    if (this.#isExact) return;
    for (let i = from; i < texts.length; i++) {
      const byte = texts.bytes[i]!;
      if (byte >= 0x41 && byte <= 0x5a) texts.bytes[i] = byte | 0x20;
      else if (byte >= 0x80) {
        const lower = encoder.encode(decoder.decode(bytes.subarray(start, end)).toLowerCase());
        texts.length = from;
        texts.append(lower, 0, lower.length);
        return;
      }
    }
  }

  /** Decides which attributes are fields: for each, of several that could be it the last. */
  #chooseFields(row: number, isZipkin: boolean): void {
    const { batch } = this;
    const { spanAttrs } = batch;
    const chosen = this.#chosen;
    const error = this.#error;
    const { roles } = this.#collector;
    chosen.fill(-1);
    error.count = 0;
    for (let at = runStart(batch.attrEnd, row); at < batch.attrEnd[row]!; at++) {
      const key = spanAttrs.keys[at]!;
      this.#collector.own(key);
      const role = roles[key] as Role;
      if (role === Role.TAG) continue;
      if (role === Role.ERROR) readErrorTag(batch, spanAttrs, at, error);
      else if (this.#fits(role, at)) chosen[role] = at;
    }
    // What a Zipkin client sent as a tag under an older key is a tag. For others the older key counts when there is no newer.
    preferNewer(chosen, Role.LOCAL_ADDRESS, Role.OLD_LOCAL_ADDRESS, isZipkin);
    preferNewer(chosen, Role.PEER_SERVICE, Role.OLD_PEER_SERVICE, isZipkin);
    preferNewer(chosen, Role.PEER_ADDRESS, Role.OLD_PEER_ADDRESS, isZipkin);
    const hasStart = (batch.times[row * 4]! | batch.times[row * 4 + 1]!) !== 0;
    if (hasStart) chosen[Role.ABSENT_START] = -1;
  }

  /** Whether the attribute at `at` has a value its field can have. */
  #fits(role: Role, at: number): boolean {
    const { heap, spanAttrs } = this.batch;
    const type = spanAttrs.types[at]!;
    const lo = spanAttrs.lo[at]!;
    const hi = spanAttrs.hi[at]!;
    switch (role) {
      case Role.LOCAL_PORT:
      case Role.PEER_PORT:
        return type === ValueType.INT && hi === 0 && lo > 0 && lo <= 0xffff;
      case Role.PEER_SERVICE:
      case Role.OLD_PEER_SERVICE:
        return type === ValueType.STRING && hi > 0;
      case Role.SHARED:
      case Role.DEBUG:
      case Role.LC:
      case Role.ABSENT_START:
        return type === ValueType.BOOL && lo !== 0;
      case Role.CARRIER:
        return false;
      default:
        if (type !== ValueType.STRING) return false;
        return this.#needsCanonical
          ? isCanonicalAddress(heap, lo, lo + hi, this.#scratch)
          : parseAddress(heap, lo, lo + hi) !== 0;
    }
  }

  #fields(isZipkin: boolean): void {
    const { local, remote, texts } = this;
    const { heap, spanAttrs } = this.batch;
    const chosen = this.#chosen;
    this.isShared = chosen[Role.SHARED]! >= 0;
    this.isDebug = chosen[Role.DEBUG]! >= 0;
    this.isLocalComponent = chosen[Role.LC]! >= 0;
    this.#address(local, Role.LOCAL_ADDRESS, Role.LOCAL_IPV4);
    if (chosen[Role.LOCAL_PORT]! >= 0) local.port = spanAttrs.lo[chosen[Role.LOCAL_PORT]!]!;
    const service = chosen[Role.PEER_SERVICE]!;
    if (service >= 0) {
      remote.serviceStart = texts.length;
      this.#name(heap, spanAttrs.lo[service]!, spanAttrs.lo[service]! + spanAttrs.hi[service]!);
      remote.serviceEnd = texts.length;
    }
    this.#address(remote, Role.PEER_ADDRESS, Role.PEER_IPV4);
    const port = chosen[Role.PEER_PORT]!;
    // OpenTelemetry's exporter makes no endpoint of a port alone.
    if (port >= 0 && (isZipkin || remote.hasNameOrAddress)) remote.port = spanAttrs.lo[port]!;
    else chosen[Role.PEER_PORT] = -1;
  }

  /** Fills in the address, and the IPv4 one that came beside an IPv6 one. */
  #address(endpoint: EndpointView, role: Role, besideRole: Role): void {
    const { texts } = this;
    const { heap, spanAttrs } = this.batch;
    const at = this.#chosen[role]!;
    const beside = this.#chosen[besideRole]!;
    const start = texts.length;
    if (at >= 0) {
      const lo = spanAttrs.lo[at]!;
      texts.append(heap, lo, lo + spanAttrs.hi[at]!);
      if (parseAddress(heap, lo, lo + spanAttrs.hi[at]!) === 4) {
        endpoint.ipv4Start = start;
        endpoint.ipv4End = texts.length;
        return;
      }
      endpoint.ipv6Start = start;
      endpoint.ipv6End = texts.length;
    }
    if (beside < 0) return;
    endpoint.ipv4Start = texts.length;
    texts.append(heap, spanAttrs.lo[beside]!, spanAttrs.lo[beside]! + spanAttrs.hi[beside]!);
    endpoint.ipv4End = texts.length;
  }

  /** The service name, and tags of the resource and scope but for keys the span has itself. */
  #inherited(row: number): void {
    const { batch, local, texts } = this;
    const { scopeTable, resourceTable, resourceAttrs, scopeAttrs } = batch;
    const collector = this.#collector;
    const scope = batch.scopes[row]!;
    const resource = scopeTable.resources[scope]!;
    const first = runStart(resourceTable.attrEnd, resource);
    const end = resourceTable.attrEnd[resource]!;
    const [service, source] = this.#serviceName(first, end);
    local.serviceStart = texts.length;
    if (service >= 0) this.#serviceText(service);
    else if (this.#options.missingServiceName !== undefined) {
      const bytes = encoder.encode(this.#options.missingServiceName);
      this.#name(bytes, 0, bytes.length);
    }
    local.serviceEnd = texts.length;
    for (let at = first; at < end; at++) if (at !== service) collector.inherited(resourceAttrs, at);
    if (source > 0) collector.serviceSource(source);
    for (let at = runStart(scopeTable.attrEnd, scope); at < scopeTable.attrEnd[scope]!; at++) {
      collector.inherited(scopeAttrs, at);
    }
    collector.library(scopeTable.names[scope]!, scopeTable.versions[scope]!);
  }

  /** Which resource attribute is the service name, and the number of its key in {@link SERVICE_NAME_SOURCES}. */
  #serviceName(first: number, end: number): readonly [at: number, source: number] {
    const { resourceAttrs } = this.batch;
    for (const [source, key] of this.#sourceKeys.entries()) {
      if (key <= 0) continue;
      for (let at = first; at < end; at++) {
        if (resourceAttrs.keys[at] !== key) continue;
        const isEmpty = resourceAttrs.types[at] === ValueType.STRING && resourceAttrs.hi[at] === 0;
        if (!isEmpty && resourceAttrs.types[at] !== ValueType.EMPTY) return [at, source];
      }
    }
    return [-1, 0];
  }

  #serviceText(at: number): void {
    const { batch } = this;
    const scratch = this.#scratch;
    scratch.length = 0;
    writeValueText(scratch, batch, batch.resourceAttrs, at);
    this.#name(scratch.bytes, 0, scratch.length);
  }

  /** Adds the attributes that are no fields. */
  #spanTags(row: number): void {
    const { attrEnd, spanAttrs } = this.batch;
    const { roles } = this.#collector;
    for (let at = runStart(attrEnd, row); at < attrEnd[row]!; at++) {
      const role = roles[spanAttrs.keys[at]!]!;
      const isField = role >= Role.CARRIER && (role <= Role.PEER_IPV4 || this.#chosen[role] === at);
      if (!isField) this.#collector.spanTag(at);
    }
  }

  #times(row: number): void {
    const { times } = this.batch;
    const startLo = times[row * 4]!;
    const startHi = times[row * 4 + 1]!;
    const micros = this.#micros;
    setMicros(micros, startLo, startHi);
    this.timestampLo = micros.lo;
    this.timestampHi = micros.hi;
    let lo = times[row * 4 + 2]! - startLo;
    let hi = times[row * 4 + 3]! - startHi;
    if (lo < 0) {
      lo += WORD;
      hi--;
    }
    const isNegative = hi < 0;
    setMicros(micros, lo, hi);
    // Less than half a microsecond is one, as 0 would mean unknown.
    const isShort = hi === 0 && lo > 0 && lo < 1000;
    this.durationLo = isNegative ? 0 : isShort ? 1 : micros.lo;
    this.durationHi = isNegative ? 0 : micros.hi;
  }

  #events(row: number): void {
    const { annotations, batch, texts } = this;
    const { events } = batch;
    const micros = this.#micros;
    for (let event = runStart(batch.eventEnd, row); event < batch.eventEnd[row]!; event++) {
      const at = annotations.add();
      setMicros(micros, events.times[event * 2]!, events.times[event * 2 + 1]!);
      annotations.timeLo[at] = micros.lo;
      annotations.timeHi[at] = micros.hi;
      annotations.textStart[at] = texts.length;
      writeEventText(texts, batch, event);
      annotations.textEnd[at] = texts.length;
    }
  }
}

/** By OpenTelemetry's kind: Zipkin's number. */
const NUMBER_OF_KIND: Readonly<Record<number, number>> = {
  [SpanKind.CLIENT]: 1,
  [SpanKind.SERVER]: 2,
  [SpanKind.PRODUCER]: 3,
  [SpanKind.CONSUMER]: 4,
};

function runStart(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : ends[row - 1]!;
}

function preferNewer(chosen: Int32Array, newer: Role, older: Role, isZipkin: boolean): void {
  if (chosen[newer]! < 0 && !isZipkin) chosen[newer] = chosen[older]!;
  else chosen[older] = -1;
}

function invalidId(which: 'TraceID' | 'SpanID', row: number): WireError {
  return new WireError('invalid_id', `${which} is invalid: span ${row} of the batch has none, and Zipkin needs one`, {
    details: { row },
  });
}
