import type { AttributeValue, KeyValue } from '@clew/model';
import { distinct } from './span.ts';
import type { AdjustableSpan } from './span.ts';

const ipKeys = new Set(['ip', 'peer.ipv4']);

/** Shows addresses that were recorded as 32-bit numbers in dotted form. */
export function showIpAddresses(spans: AdjustableSpan[]): AdjustableSpan[] {
  for (const span of spans) span.attributes = span.attributes.map(withDottedAddress);
  for (const resource of distinct(spans, (span) => span.resource)) {
    resource.attributes = resource.attributes.map(withDottedAddress);
  }
  return spans;
}

function withDottedAddress(attribute: KeyValue): KeyValue {
  if (!ipKeys.has(attribute.key)) return attribute;
  const word = addressWord(attribute.value);
  if (word === undefined) return attribute;
  return { key: attribute.key, value: `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}` };
}

/** The low 32 bits of a whole number, or undefined for anything else. */
function addressWord(value: AttributeValue): number | undefined {
  if (typeof value === 'bigint') return Number(BigInt.asUintN(32, value));
  if (typeof value === 'number' && Number.isFinite(value)) return Number(BigInt.asUintN(32, BigInt(Math.trunc(value))));
  return undefined;
}
