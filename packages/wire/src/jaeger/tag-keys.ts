import { Carrier, CARRIER_PREFIX, JAEGER_WARNINGS, OPENTRACING_REF_TYPE, SpanBatch, bytesOfText } from '@clew/model';
import type { StringTable } from '@clew/model';

/**
 * Keys that mean something to Jaeger's mapping. The numbers are bits in sets of roles seen, so there are at most 31 of them; `PLAIN` is
 * every other key.
 */
export const KeyRole = Object.freeze({
  PLAIN: 1,
  SPAN_KIND: 2,
  ERROR: 3,
  STATUS_CODE: 4,
  STATUS_DESCRIPTION: 5,
  HTTP_STATUS_CODE: 6,
  HTTP_STATUS_MESSAGE: 7,
  TRACE_STATE: 8,
  SCOPE_NAME: 9,
  SCOPE_VERSION: 10,
  SDK_LANGUAGE: 11,
  WARNINGS: 12,
  EVENT: 13,
  REF_TYPE: 14,
  SERVICE_NAME: 15,
  HOSTNAME: 16,
  HOST_NAME: 17,
  CLIENT_VERSION: 18,
  EXPORTER_VERSION: 19,
  /** Any key under `clew.carrier.` that has no role of its own below. */
  CARRIER: 20,
  CARRIER_FORMAT: 21,
  CARRIER_FLAGS: 22,
  CARRIER_PARENT_REF_TYPE: 23,
  CARRIER_PROCESS_ID: 24,
  CARRIER_HOSTNAME: 25,
  CARRIER_VERSION: 26,
} as const);

/** The keys of the roles, for those that have one key. */
export const TagKey = Object.freeze({
  SPAN_KIND: 'span.kind',
  ERROR: 'error',
  STATUS_CODE: 'otel.status_code',
  STATUS_DESCRIPTION: 'otel.status_description',
  HTTP_STATUS_CODE: 'http.status_code',
  HTTP_STATUS_MESSAGE: 'http.status_message',
  TRACE_STATE: 'w3c.tracestate',
  SCOPE_NAME: 'otel.scope.name',
  SCOPE_VERSION: 'otel.scope.version',
  SDK_LANGUAGE: 'telemetry.sdk.language',
  WARNINGS: JAEGER_WARNINGS,
  EVENT: 'event',
  REF_TYPE: OPENTRACING_REF_TYPE,
  SERVICE_NAME: 'service.name',
  HOSTNAME: 'hostname',
  HOST_NAME: 'host.name',
  CLIENT_VERSION: 'jaeger.version',
  EXPORTER_VERSION: 'opencensus.exporterversion',
  CARRIER_FORMAT: Carrier.FORMAT,
  CARRIER_FLAGS: Carrier.JAEGER_FLAGS,
  CARRIER_PARENT_REF_TYPE: Carrier.JAEGER_PARENT_REF_TYPE,
  CARRIER_PROCESS_ID: Carrier.JAEGER_PROCESS_ID,
  CARRIER_HOSTNAME: Carrier.JAEGER_HOSTNAME,
  CARRIER_VERSION: Carrier.JAEGER_VERSION,
} as const satisfies Partial<Record<keyof typeof KeyRole, string>>);

/** {@link TagKey} as UTF-8. */
export const tagKeyBytes = Object.freeze(
  Object.fromEntries(Object.entries(TagKey).map(([name, key]) => [name, bytesOfText(key)])),
) as Readonly<Record<keyof typeof TagKey, Uint8Array>>;

/** Whether the role is a carrier's, whose attributes are facts of a format and no tags. */
export function isCarrierRole(role: number): boolean {
  return role >= KeyRole.CARRIER;
}

interface KnownKey {
  readonly bytes: Uint8Array;
  readonly role: number;
}

/** Known keys by their length. */
const knownKeys: readonly (readonly KnownKey[] | undefined)[] = byLength();
const carrierPrefix = bytesOfText(CARRIER_PREFIX);
const NO_STRINGS = new SpanBatch().strings;

/**
 * Tells the roles of a dictionary's strings as keys, each looked at once: afterwards it is one byte to load.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class KeyRoles {
  #strings: StringTable = NO_STRINGS;
  /** By index of a string: its role, 0 while it was not asked for. */
  #roles = new Uint8Array(256);
  /** Behind the last index that was asked for. */
  #used = 0;

  bind(strings: StringTable): void {
    this.release();
    this.#strings = strings;
  }

  /** Lets go of the dictionary. */
  release(): void {
    this.#roles.fill(0, 0, this.#used);
    this.#used = 0;
    this.#strings = NO_STRINGS;
  }

  /** The role of the string `index` as a key, one of {@link KeyRole}. */
  of(index: number): number {
    const role = index < this.#roles.length ? this.#roles[index]! : 0;
    return role === 0 ? this.#classify(index) : role;
  }

  #classify(index: number): number {
    if (index >= this.#roles.length) {
      const grown = new Uint8Array(Math.max(this.#roles.length * 2, index + 1));
      grown.set(this.#roles);
      this.#roles = grown;
    }
    if (index >= this.#used) this.#used = index + 1;
    return (this.#roles[index] = this.#roleOf(index));
  }

  #roleOf(index: number): number {
    const strings = this.#strings;
    const length = strings.ends[index]! - strings.start(index);
    const sameLength = knownKeys[length];
    if (sameLength !== undefined) {
      for (const { bytes, role } of sameLength) if (strings.equals(index, bytes, 0, length)) return role;
    }
    return this.#isCarrier(index, length) ? KeyRole.CARRIER : KeyRole.PLAIN;
  }

  #isCarrier(index: number, length: number): boolean {
    if (length < carrierPrefix.length) return false;
    const start = this.#strings.start(index);
    for (let i = 0; i < carrierPrefix.length; i++) {
      if (this.#strings.bytes[start + i] !== carrierPrefix[i]) return false;
    }
    return true;
  }
}

function byLength(): (KnownKey[] | undefined)[] {
  const table: (KnownKey[] | undefined)[] = [];
  for (const [name, bytes] of Object.entries(tagKeyBytes)) {
    (table[bytes.length] ??= []).push({ bytes, role: KeyRole[name as keyof typeof TagKey] });
  }
  return table;
}
