import { equalValues } from '@clew/model';
import { attributeOf } from './span.ts';
import type { AdjustableResource, AdjustableSpan } from './span.ts';

const libraryKeys = new Set([
  'telemetry.sdk.language',
  'telemetry.sdk.name',
  'telemetry.sdk.version',
  'telemetry.distro.name',
  'telemetry.distro.version',
]);

/** Moves what describes the library from spans to their resource, where it belongs. */
export function moveLibraryAttributes(spans: AdjustableSpan[]): AdjustableSpan[] {
  for (const span of spans) {
    if (!span.attributes.some(({ key }) => libraryKeys.has(key))) continue;
    span.attributes = span.attributes.filter((attribute) => {
      if (!libraryKeys.has(attribute.key)) return true;
      const present = attributeOf(span.resource.attributes, attribute.key);
      if (present === undefined) insertSorted(span.resource, attribute);
      else if (!equalValues(present, attribute.value)) {
        span.warnings.push(`conflicting values between Span and Resource for attribute ${attribute.key}`);
        return true;
      }
      return false;
    });
  }
  return spans;
}

/** Resource attributes are sorted by now; the new one takes its place among them. */
function insertSorted(resource: AdjustableResource, attribute: AdjustableResource['attributes'][number]): void {
  const at = resource.attributes.findIndex(({ key }) => key > attribute.key);
  resource.attributes.splice(at < 0 ? resource.attributes.length : at, 0, attribute);
}
