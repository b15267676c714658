import { ValueType, bytesOfText } from '@clew/model';
import type { DecodeContext } from './decode-context.ts';
import { KeyRole } from './tag-keys.ts';
import { equalsText } from './tag-values.ts';

/** What a collector writes as the name of a service when there is none; reading it, there is none again. */
export const noServiceName: Uint8Array = bytesOfText('OTLPResourceNoServiceName');

/** What the client's version is prefixed with when `jaeger.version` becomes `opencensus.exporterversion`. */
export const versionPrefix: Uint8Array = bytesOfText('Jaeger-');

const goText = bytesOfText('go');
const goVersion = bytesOfText('Go-');

const NONE = -1;
const REPEATED = -2;

/**
 * Turns processes into resources and, for the spans of each, into scopes. `hostname` becomes `host.name` and `jaeger.version` becomes
 * `opencensus.exporterversion`, unless the new key is there already; carriers tell that it was so.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class Processes {
  /** Whether the process of the resource ended last is known to be written in Go. */
  isGo = false;
  readonly #context: DecodeContext;
  #resource = 0;
  #first = 0;
  #hasService = false;
  /** The first scope of this decoding, and the one found last. */
  #firstScope = 0;
  #lastScope = NONE;
  #formatKey = 0;

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  /** To be called when a decoding begins. */
  bind(): void {
    this.#firstScope = this.#context.batch.scopeTable.count;
    this.#lastScope = NONE;
    this.isGo = false;
  }

  /** Adds a resource and returns its row; the name of the service and the tags follow, then `end`. */
  begin(at: number): number {
    const { batch } = this.#context;
    this.#context.countChild(at);
    this.#first = batch.resourceAttrs.count;
    this.#hasService = false;
    return (this.#resource = batch.resourceTable.add(this.#first));
  }

  /** The name of the service, to be told before the tags; `lo` and `hi` are its place in the heap. */
  service(lo: number, hi: number): void {
    if (!isServiceName(this.#context.batch.heap, lo, hi)) return;
    this.#hasService = true;
    this.#context.batch.resourceAttrs.push(this.#context.key('SERVICE_NAME'), ValueType.STRING, lo, hi);
  }

  /** Ends the resource begun last. */
  end(): void {
    const { batch } = this.#context;
    if (!this.#hasService) this.#bringServiceForward();
    this.isGo = false;
    this.#rename(this.#only(KeyRole.HOSTNAME), KeyRole.HOST_NAME);
    this.#rename(this.#only(KeyRole.CLIENT_VERSION), KeyRole.EXPORTER_VERSION);
    const language = this.#only(KeyRole.SDK_LANGUAGE);
    if (language >= 0 && this.#startsWith(language, goText, true)) this.isGo = true;
    batch.resourceTable.attrEnd[this.#resource] = batch.resourceAttrs.count;
  }

  /** The one attribute of this resource with `role`: its row, or `NONE` or `REPEATED`. */
  #only(role: number): number {
    const { batch, roles } = this.#context;
    const { keys, count } = batch.resourceAttrs;
    let found = NONE;
    for (let row = this.#first; row < count; row++) {
      if (roles.of(keys[row]!) === role) found = found === NONE ? row : REPEATED;
    }
    return found;
  }

  /** A service named by a tag alone stands first, where encoding and decoding again would put it. */
  #bringServiceForward(): void {
    const { batch, roles } = this.#context;
    const { keys, types, lo, hi, count } = batch.resourceAttrs;
    for (let row = this.#first; row < count; row++) {
      const isService =
        roles.of(keys[row]!) === KeyRole.SERVICE_NAME &&
        types[row] === ValueType.STRING &&
        isServiceName(batch.heap, lo[row]!, hi[row]!);
      if (!isService) continue;
      for (const column of [keys, types, lo, hi]) {
        const value = column[row]!;
        column.copyWithin(this.#first + 1, this.#first, row);
        column[this.#first] = value;
      }
      return;
    }
  }

  #rename(row: number, to: typeof KeyRole.HOST_NAME | typeof KeyRole.EXPORTER_VERSION): void {
    if (row < 0 || this.#only(to) !== NONE) return;
    const { batch } = this.#context;
    const attrs = batch.resourceAttrs;
    if (to === KeyRole.HOST_NAME) {
      attrs.keys[row] = this.#context.key('HOST_NAME');
      attrs.push(this.#context.key('CARRIER_HOSTNAME'), ValueType.BOOL, 1, 0);
      return;
    }
    if (attrs.types[row] !== ValueType.STRING) return;
    this.isGo = this.#startsWith(row, goVersion, false);
    const at = attrs.lo[row]!;
    const length = attrs.hi[row]!;
    const prefixed = this.#context.reserve(versionPrefix.length + length);
    batch.heap.set(versionPrefix, prefixed);
    batch.heap.copyWithin(prefixed + versionPrefix.length, at, at + length);
    attrs.keys[row] = this.#context.key('EXPORTER_VERSION');
    attrs.lo[row] = prefixed;
    attrs.hi[row] = versionPrefix.length + length;
    attrs.push(this.#context.key('CARRIER_VERSION'), ValueType.BOOL, 1, 0);
  }

  /** Whether the text in `row` begins with `text`, or is nothing else. */
  #startsWith(row: number, text: Uint8Array, isAll: boolean): boolean {
    const { batch } = this.#context;
    const { types, lo, hi } = batch.resourceAttrs;
    const length = isAll ? hi[row]! : Math.min(hi[row]!, text.length);
    return types[row] === ValueType.STRING && equalsText(batch.heap, lo[row]!, length, text, false);
  }

  /**
   * The scope of `resource` with this name and version, added when there is none. Only the scopes added lately are looked at, so that the
   * cost stays bounded when every span has one of its own.
   */
  scope(at: number, resource: number, name: number, version: number): number {
    const { scopeTable: table, scopeAttrs } = this.#context.batch;
    if (this.#lastScope >= 0 && this.#isScope(this.#lastScope, resource, name, version)) return this.#lastScope;
    const earliest = Math.max(this.#firstScope, table.count - LOOK_BACK);
    for (let scope = table.count - 1; scope >= earliest; scope--) {
      if (this.#isScope(scope, resource, name, version)) return (this.#lastScope = scope);
    }
    this.#context.countChild(at);
    const scope = table.add(resource, scopeAttrs.count);
    table.names[scope] = name;
    table.versions[scope] = version;
    if (this.#lastScope < 0) this.#formatKey = this.#context.key('CARRIER_FORMAT');
    this.#context.pushFormat(scopeAttrs, this.#formatKey);
    table.attrEnd[scope] = scopeAttrs.count;
    return (this.#lastScope = scope);
  }

  #isScope(scope: number, resource: number, name: number, version: number): boolean {
    const { resources, names, versions } = this.#context.batch.scopeTable;
    return resources[scope] === resource && names[scope] === name && versions[scope] === version;
  }
}

const LOOK_BACK = 64;

/** Whether `heap[lo, lo + hi)` names a service: not when it is empty, nor when it is the word for none. */
export function isServiceName(heap: Uint8Array, lo: number, hi: number): boolean {
  return hi > 0 && !equalsText(heap, lo, hi, noServiceName, false);
}
