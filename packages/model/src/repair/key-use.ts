import { isCarrierKey } from '../carrier.ts';

/** What an attribute of a span may really be about, by its key. */
export const KeyUse = Object.freeze({
  /** The span itself. */
  SPAN: 0,
  /** Who sent the span. */
  RESOURCE: 1,
  /** Name or version of the library that made it. */
  SCOPE_NAME: 2,
  SCOPE_VERSION: 3,
  /** A fact of another format, which no API shows. */
  CARRIER: 4,
} as const);

/** What an attribute of a span may really be about. */
export type KeyUse = (typeof KeyUse)[keyof typeof KeyUse];

/** What the attribute `key` of a span may really be about. */
export function keyUseOf(key: string): KeyUse {
  const exact = scopeKeys.get(key);
  if (exact !== undefined) return exact;
  if (isCarrierKey(key)) return KeyUse.CARRIER;
  if (key.startsWith('service.peer.')) return KeyUse.SPAN;
  return resourcePrefixes.some((prefix) => key.startsWith(prefix)) ? KeyUse.RESOURCE : KeyUse.SPAN;
}

const scopeKeys: ReadonlyMap<string, KeyUse> = new Map([
  ['otel.scope.name', KeyUse.SCOPE_NAME],
  ['otel.library.name', KeyUse.SCOPE_NAME],
  ['otel.scope.version', KeyUse.SCOPE_VERSION],
  ['otel.library.version', KeyUse.SCOPE_VERSION],
]);

/** Namespaces of resource attributes (https://opentelemetry.io/docs/specs/semconv/resource/). */
const resourcePrefixes: readonly string[] = [
  'service.',
  'telemetry.',
  'deployment.environment',
  'k8s.',
  'host.',
  'process.',
  'container.',
  'cloud.',
  'os.',
];
