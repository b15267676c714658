import { canonicalJson, shownForm, valueText } from '@clew/model';
import type { AttributeValue, KeyValue, TraceView } from '@clew/model';
import { rowOrder } from './skeleton.ts';

/**
 * Rows of the skeleton that contain `text` in name, service, status message, attributes or events, without regard to case. `key=value` (or
 * `key="value with spaces"`) compares one attribute instead.
 */
export function findRows(view: TraceView, text: string): number[] {
  const matches = matcherOf(view, text);
  const rows: number[] = [];
  rowOrder(view).forEach((row, rank) => {
    if (matches(row)) rows.push(rank);
  });
  return rows;
}

function matcherOf(view: TraceView, text: string): (row: number) => boolean {
  const term = /^([^\s="]+)=(?:"(.*)"|(.*))$/s.exec(text.trim());
  const needle = text.trim().toLowerCase();
  const contains = (candidate: string): boolean => candidate.toLowerCase().includes(needle);
  const byText = (row: number): boolean => {
    const span = view.span(row);
    return (
      contains(view.names[row]!) ||
      contains(view.services[row]!) ||
      contains(shownForm(span.statusMessage)) ||
      span.spanId === needle ||
      view.idOf(row) === needle ||
      span.attributes.some((attribute) => containsAttribute(attribute, contains)) ||
      span.events.some(
        (event) => contains(shownForm(event.name)) || event.attributes.some((a) => containsAttribute(a, contains)),
      )
    );
  };
  if (term === null) return byText;
  const [, key, quoted, bare] = term;
  const value = (quoted ?? bare ?? '').toLowerCase();
  return (row) => {
    const own = view.attribute(row, key!) ?? view.resourceAttribute(row, key!);
    return own === undefined ? byText(row) : shownValue(own).toLowerCase() === value;
  };
}

function containsAttribute({ key, value }: KeyValue, contains: (candidate: string) => boolean): boolean {
  return contains(shownForm(key)) || contains(shownValue(value));
}

function shownValue(value: AttributeValue): string {
  return typeof value === 'object' ? canonicalJson(value) : valueText(value);
}
