import { SpanBatch, ValueType } from '@clew/model';
import { isServiceName, noServiceName, versionPrefix } from './processes.ts';
import { KeyRole, isCarrierRole, tagKeyBytes } from './tag-keys.ts';
import type { KeyRoles } from './tag-keys.ts';
import { equalsText } from './tag-values.ts';

const NO_BATCH = new SpanBatch();
const NONE = -1;
const EMPTY = new Uint8Array(0);

/**
 * One resource of a batch as a process of Jaeger's, the counterpart of `Processes`: the name of the service, and tags under the names the
 * client gave them.
 */
export class ProcessView {
  batch: SpanBatch = NO_BATCH;
  /** Attributes of the resource: rows `[first, end)`, of which `tagCount` are tags. */
  first = 0;
  end = 0;
  tagCount = 0;
  /** The name of the service: a range of its source. */
  serviceSource: Uint8Array = EMPTY;
  serviceStart = 0;
  serviceEnd = 0;
  #serviceRow = NONE;
  #hostnameRow = NONE;
  #versionRow = NONE;

  /** Looks at a resource. */
  look(batch: SpanBatch, roles: KeyRoles, resource: number): void {
    const { resourceTable, resourceAttrs, heap } = batch;
    const { keys, types, lo, hi } = resourceAttrs;
    this.batch = batch;
    this.first = resource === 0 ? 0 : resourceTable.attrEnd[resource - 1]!;
    this.end = resourceTable.attrEnd[resource]!;
    this.#serviceRow = NONE;
    let wasHostname = false;
    let wasVersion = false;
    let hostRow = NONE;
    let versionRow = NONE;
    let count = 0;
    for (let at = this.first; at < this.end; at++) {
      const role = roles.of(keys[at]!);
      if (!isCarrierRole(role)) count++;
      if (role === KeyRole.CARRIER_HOSTNAME) wasHostname = true;
      else if (role === KeyRole.CARRIER_VERSION) wasVersion = true;
      else if (role === KeyRole.HOST_NAME) hostRow = at;
      else if (role === KeyRole.EXPORTER_VERSION) versionRow = at;
      else if (role === KeyRole.SERVICE_NAME && this.#serviceRow === NONE && types[at] === ValueType.STRING) {
        if (isServiceName(heap, lo[at]!, hi[at]!)) this.#serviceRow = at;
      }
    }
    this.#hostnameRow = wasHostname ? hostRow : NONE;
    this.#versionRow = wasVersion && this.#isPrefixed(versionRow) ? versionRow : NONE;
    this.tagCount = this.#serviceRow === NONE ? count : count - 1;
    this.#service(this.tagCount);
  }

  /** Lets go of the batch. */
  release(): void {
    this.batch = NO_BATCH;
    this.serviceSource = EMPTY;
  }

  /** A process without a name says so in words when there is nothing else to it. */
  #service(tagCount: number): void {
    const { heap, resourceAttrs } = this.batch;
    const row = this.#serviceRow;
    if (row === NONE) {
      this.serviceSource = tagCount === 0 ? noServiceName : EMPTY;
      this.serviceStart = 0;
      this.serviceEnd = this.serviceSource.length;
      return;
    }
    this.serviceSource = heap;
    this.serviceStart = resourceAttrs.lo[row]!;
    this.serviceEnd = this.serviceStart + resourceAttrs.hi[row]!;
  }

  #isPrefixed(row: number): boolean {
    if (row === NONE) return false;
    const { heap, resourceAttrs } = this.batch;
    const length = Math.min(resourceAttrs.hi[row]!, versionPrefix.length);
    return (
      resourceAttrs.types[row] === ValueType.STRING &&
      equalsText(heap, resourceAttrs.lo[row]!, length, versionPrefix, false)
    );
  }

  /** Whether the attribute in `row` is the name of the service. */
  isService(row: number): boolean {
    return row === this.#serviceRow;
  }

  /** The key the attribute in `row` had as a tag, when it is another one now. */
  renamed(row: number): Uint8Array | undefined {
    if (row === this.#hostnameRow) return tagKeyBytes.HOSTNAME;
    return row === this.#versionRow ? tagKeyBytes.CLIENT_VERSION : undefined;
  }

  /** Bytes at the start of the value in `row` that were not in the tag. */
  added(row: number): number {
    return row === this.#versionRow ? versionPrefix.length : 0;
  }
}
