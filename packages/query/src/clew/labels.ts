import type { TraceView } from '@clew/model';
import { valueText } from '@clew/model';

/** Attributes whose value is worth showing beside a span's name, the most telling first. Old spellings follow new ones. */
const labelKeys = [
  'http.response.status_code',
  'http.status_code',
  'rpc.grpc.status_code',
  'db.operation.name',
  'db.operation',
  'messaging.destination.name',
  'messaging.destination',
];

/** Longest label; more does not fit beside a name. */
const maxLabelLength = 40;

/** A short text to show beside span `row`, or the empty string. */
export function labelOf(view: TraceView, row: number): string {
  const { attributes } = view.cursor(row);
  for (const key of labelKeys) {
    if (!attributes.findText(key)) continue;
    const text = valueText(attributes.decodeValue());
    if (text !== '' && text.length <= maxLabelLength) return text;
  }
  return '';
}
