import { bytesOfText, valueText } from '@clew/model';
import type { KeyValue } from '@clew/model';
import { attributeOf, distinct } from './span.ts';
import type { AdjustableResource, AdjustableSpan } from './span.ts';

const serviceKey = 'service.name';

/**
 * What Jaeger's collector does to spans before it stores them. Clew keeps what was sent and does it when reading, so that
 * both views exist.
 */
export function sanitize(spans: AdjustableSpan[]): AdjustableSpan[] {
  for (const resource of distinct(spans, (span) => span.resource)) {
    resource.attributes = resource.attributes.map(asUtf8);
    nameService(resource);
  }
  for (const span of spans) {
    nameSpan(span);
    span.attributes = withUtf8Keys(span.attributes);
    for (const event of span.events) event.attributes = withUtf8Keys(event.attributes);
    orderTimes(span);
  }
  return spans;
}

/** A resource with attributes but no usable service name gets Jaeger's word for what is wrong. */
function nameService(resource: AdjustableResource): void {
  if (resource.attributes.length === 0) return;
  const name = attributeOf(resource.attributes, serviceKey);
  if (typeof name === 'string' && name !== '') return;
  const word =
    name === undefined ? 'missing-service-name' : name === '' ? 'empty-service-name' : 'service-name-wrong-type';
  const others = resource.attributes.filter(({ key }) => key !== serviceKey);
  resource.attributes = [{ key: serviceKey, value: word }, ...others];
}

function nameSpan(span: AdjustableSpan): void {
  if (span.name === '') span.name = 'empty-span-name';
  if (span.name.isWellFormed()) return;
  span.attributes = [...span.attributes, { key: 'invalid-span-name', value: bytesOfText(span.name) }];
  span.name = 'invalid-span-name';
}

/** Values that are not valid UTF-8 become bytes. */
function asUtf8(attribute: KeyValue): KeyValue {
  if (typeof attribute.value !== 'string' || attribute.value.isWellFormed()) return attribute;
  return { key: attribute.key, value: bytesOfText(attribute.value) };
}

function withUtf8Keys(attributes: KeyValue[]): KeyValue[] {
  let invalid = 0;
  return attributes.map((attribute) => {
    if (attribute.key.isWellFormed()) return asUtf8(attribute);
    const text = `${attribute.key}:${valueText(attribute.value)}`;
    return { key: `invalid-tag-key-${++invalid}`, value: bytesOfText(text) };
  });
}

/** A span that does not end after it starts lasts one nanosecond. */
function orderTimes(span: AdjustableSpan): void {
  if (span.startNano < span.endNano) return;
  const adjusted = span.startNano + 1n;
  span.warnings.push(
    `Negative duration detected, sanitizing end timestamp. Original end timestamp: ${span.endNano}, adjusted to: ${adjusted}`,
  );
  span.endNano = adjusted;
}
