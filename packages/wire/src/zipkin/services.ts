import { Carrier, CarrierFormat, StringTable, ValueType, bytesOfText } from '@clew/model';
import type { SpanBatch } from '@clew/model';

/** Tables of more services than this are given back after use. */
const KEEP_ROWS = 4096;

const FORMAT_BYTES = bytesOfText(CarrierFormat.ZIPKIN);

/**
 * Gives every span its scope, adding one resource for each service and one scope for each instrumentation library of it.
 * A hot path, guarded by `bench/codec`: nothing is allocated but for services and libraries not seen before.
 */
export class Services {
  /** Service names; index 0 is the absent one. */
  names: StringTable = new StringTable();
  #resources = new RowTable();
  #scopes = new RowTable();
  #batch: SpanBatch | undefined;
  #formatKey = 0;
  #formatAt = -1;
  /** The service name read last. */
  #guess = 0;
  #lastService = -1;
  #lastSource = 0;
  #lastName = 0;
  #lastVersion = 0;
  #lastScope = 0;
  #lastResource = 0;

  begin(batch: SpanBatch): void {
    this.#batch = batch;
    this.#formatAt = -1;
    this.#guess = 0;
    this.#lastService = -1;
  }

  release(): void {
    this.#batch = undefined;
    if (this.names.count + this.#scopes.count > KEEP_ROWS) {
      this.names = new StringTable();
      this.#resources = new RowTable();
      this.#scopes = new RowTable();
      return;
    }
    this.names.clear();
    this.#resources.clear();
    this.#scopes.clear();
  }

  /** The index of the service name in `bytes[start, end)`, most often that of the span before. */
  indexOf(bytes: Uint8Array, start: number, end: number): number {
    const { names } = this;
    if (names.equals(this.#guess, bytes, start, end)) return this.#guess;
    return (this.#guess = names.intern(bytes, start, end));
  }

  /**
   * The scope row of a span of `service` (an index into `names`) and of the library `name` and `version` (indexes into
   * the batch's strings). `source` is the key the service name goes under, 0 for `service.name`.
   */
  scope(service: number, source: number, name: number, version: number): number {
    const isSame =
      service === this.#lastService &&
      source === this.#lastSource &&
      name === this.#lastName &&
      version === this.#lastVersion;
    if (isSame) return this.#lastScope;
    const resource = this.#resource(service, source);
    let scope = this.#scopes.find(resource, name, version);
    if (scope < 0) this.#scopes.add((scope = this.#addScope(resource, name, version)));
    this.#lastService = service;
    this.#lastSource = source;
    this.#lastName = name;
    this.#lastVersion = version;
    return (this.#lastScope = scope);
  }

  /** Rows added so far, for the limit on children. */
  get added(): number {
    return this.#resources.count + this.#scopes.count;
  }

  #resource(service: number, source: number): number {
    if (service === this.#lastService && source === this.#lastSource) return this.#lastResource;
    let resource = this.#resources.find(service, source, 0);
    if (resource < 0) this.#resources.add((resource = this.#addResource(service, source)));
    return (this.#lastResource = resource);
  }

  #addResource(service: number, source: number): number {
    const batch = this.#batch!;
    const { resourceTable, resourceAttrs, strings } = batch;
    const row = resourceTable.add(resourceAttrs.count);
    if (service !== 0) {
      const { names } = this;
      const at = batch.appendHeap(names.bytes, names.start(service), names.ends[service]!);
      const key = source === 0 ? strings.internText('service.name') : source;
      resourceAttrs.push(key, ValueType.STRING, at, names.ends[service]! - names.start(service));
    }
    resourceTable.attrEnd[row] = resourceAttrs.count;
    return row;
  }

  #addScope(resource: number, name: number, version: number): number {
    const batch = this.#batch!;
    const { scopeTable, scopeAttrs } = batch;
    if (this.#formatAt < 0) {
      this.#formatKey = batch.strings.internText(Carrier.FORMAT);
      this.#formatAt = batch.appendHeap(FORMAT_BYTES, 0, FORMAT_BYTES.length);
    }
    const row = scopeTable.add(resource, scopeAttrs.count);
    scopeTable.names[row] = name;
    scopeTable.versions[row] = version;
    scopeAttrs.push(this.#formatKey, ValueType.STRING, this.#formatAt, FORMAT_BYTES.length);
    scopeTable.attrEnd[row] = scopeAttrs.count;
    return row;
  }
}

/** Rows found by three words. */
class RowTable {
  readonly #keys = new StringTable();
  readonly #key = new Uint32Array(3);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);
  #rows: number[] = [];
  #found = 0;

  get count(): number {
    return this.#rows.length;
  }

  clear(): void {
    this.#keys.clear();
    this.#rows.length = 0;
  }

  /** The row of these words, or -1: then `add` must follow. */
  find(a: number, b: number, c: number): number {
    this.#key[0] = a;
    this.#key[1] = b;
    this.#key[2] = c;
    this.#found = this.#keys.intern(this.#keyBytes, 0, 12);
    return this.#found <= this.#rows.length ? this.#rows[this.#found - 1]! : -1;
  }

  add(row: number): void {
    this.#rows[this.#found - 1] = row;
  }
}
