import { compilePattern } from '@clew/base';
import {
  base64Of,
  bytesOfText,
  hexOf,
  isArray,
  synonymsOf,
  synonymValues,
  valueText,
  type AttributeValue,
  type KeyValue,
  type PlainSpan,
} from '@clew/model';

import type { SpanFilter } from '../span-filter.ts';
import type { TermFilter } from '../term-conditions.ts';

/** Whether a span satisfies a filter, told from its plain form: what SQL must agree with. Attribute lists have each key once. */
export function satisfies(span: PlainSpan, filter: SpanFilter, synonyms: boolean): boolean {
  const { service, operation, status, kind, minDurationNano, maxDurationNano, rootOnly, terms = [] } = filter;
  const duration = span.endUnixNano > span.startUnixNano ? span.endUnixNano - span.startUnixNano : 0n;
  return (
    (service === undefined || service === serviceOf(span)) &&
    (operation === undefined || operation === span.name) &&
    (status === undefined || status === statusOf(span)) &&
    (kind === undefined || kind === span.kind) &&
    (minDurationNano === undefined || duration >= minDurationNano) &&
    (maxDurationNano === undefined || duration <= maxDurationNano) &&
    (rootOnly !== true || span.parentSpanId === '') &&
    terms.every((term) => holds(span, term, synonyms))
  );
}

function serviceOf(span: PlainSpan): string {
  const name = span.resource.attributes.find(({ key, value }) => key === 'service.name' && typeof value === 'string');
  return name === undefined ? '' : (name.value as string);
}

function statusOf(span: PlainSpan): SpanFilter['status'] {
  const isMarked = span.attributes.some(({ key, value }) => key === 'error' && (value === true || value === 'true'));
  if (span.statusCode === 2 || isMarked) return 'error';
  return span.statusCode === 1 ? 'ok' : span.statusCode === 0 ? 'unset' : undefined;
}

function holds(span: PlainSpan, term: TermFilter, synonyms: boolean): boolean {
  const names = synonyms ? synonymsOf(term.key, term.scope === 'event' ? 'event' : 'span') : [term.key];
  const some = (attributes: readonly KeyValue[]): boolean =>
    attributes.some(({ key, value }) => names.includes(key) && variants(term, key).some((each) => test(each, value))) ||
    within(attributes, names, term, false);
  const isPresent = (attributes: readonly KeyValue[], isChild = false): boolean =>
    [...attributes, ...leaves(attributes, isChild)].some(({ key }) => names.includes(key));
  const { attributes, resource, scope, events, links } = span;
  const lacks = term.operator === 'missing';
  switch (term.scope) {
    case 'span':
      return lacks ? !isPresent(attributes) : some(attributes);
    case 'resource':
      return lacks ? !isPresent(resource.attributes) : some(resource.attributes);
    case 'instrumentation': {
      const field = term.key === 'name' ? scope.name : term.key === 'version' ? scope.version : '';
      if (lacks) return field === '' && !isPresent(scope.attributes);
      return some(scope.attributes) || (field !== '' && test(term, field));
    }
    case 'event':
      if (lacks) return events.some((event) => !isPresent(event.attributes, true));
      return events.some(
        (event) =>
          flat(event.attributes, names, term) ||
          within(event.attributes, names, term, true) ||
          (term.key === 'name' && event.name !== '' && test(term, event.name)),
      );
    case 'link':
      if (lacks) return links.some((link) => !isPresent(link.attributes, true));
      return links.some((link) => flat(link.attributes, names, term) || within(link.attributes, names, term, true));
    case 'any':
      if (lacks) return !isPresent(attributes) && !isPresent(resource.attributes);
      return some(attributes) || some(resource.attributes) || fieldHolds(span, term);
  }
}

/** Whether what lies within maps and nested arrays satisfies the term; of events and links also the elements of arrays. */
function within(
  attributes: readonly KeyValue[],
  names: readonly string[],
  term: TermFilter,
  isChild: boolean,
): boolean {
  const found = leaves(attributes, isChild);
  return names.some((name) => {
    const values = found.filter(({ key }) => key === name).map(({ value }) => value);
    if (values.length === 0) return false;
    if (!('value' in term)) return true;
    if (term.operator !== '!=' && term.operator !== '!~') {
      return variants(term, name).some((each) => values.some((value) => test(each, value)));
    }
    const beside = isChild ? [] : attributes.flatMap(({ key, value }) => (key === name ? scalarElements(value) : []));
    return [...values, ...beside].every((value) => test(term, value));
  });
}

function scalarElements(value: AttributeValue): AttributeValue[] {
  return value !== null && isArray(value) ? value.filter((element) => !isNested(element)) : [];
}

function isNested(value: AttributeValue): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

/** Values within maps and arrays, by path. */
function leaves(attributes: readonly KeyValue[], isChild: boolean): KeyValue[] {
  return attributes.flatMap(({ key, value }) => {
    if (!isNested(value)) return [];
    if (!isArray(value)) return leavesOf(key, value);
    return value.flatMap((element) => (isChild || isNested(element) ? leavesOf(key, element) : []));
  });
}

function leavesOf(path: string, value: AttributeValue): KeyValue[] {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return [{ key: path, value }];
  if (isArray(value)) return value.flatMap((element) => leavesOf(path, element));
  return value.entries.flatMap((entry) => leavesOf(`${path}.${entry.key}`, entry.value));
}

/** Arrays of events and links are looked into by {@link within}. */
function flat(attributes: readonly KeyValue[], names: readonly string[], term: TermFilter): boolean {
  return attributes.some(
    ({ key, value }) =>
      names.includes(key) &&
      variants(term, key).some((each) => test(each, Array.isArray(value) && 'value' in each ? null : value)),
  );
}

function fieldHolds(span: PlainSpan, term: TermFilter): boolean {
  if (!('value' in term)) return false;
  const text = { name: span.name, 'status.message': span.statusMessage }[term.key];
  if (text !== undefined) return text !== '' && test(term, text);
  const id = { 'trace.id': span.traceId, 'span.id': span.spanId }[term.key];
  if (id === undefined || id === '' || typeof term.value === 'boolean') return false;
  const wanted = term.value.text;
  if (term.operator === '=') return /^[0-9a-f]+$/i.test(wanted) && wanted.toLowerCase().padStart(id.length, '0') === id;
  if (term.operator === '!=') return wanted.toLowerCase().padStart(id.length, '0') !== id;
  return test(term, id);
}

/** The term, and the same with what its value is called under another name of the attribute. */
function variants(term: TermFilter, name: string): TermFilter[] {
  if (!('value' in term) || term.operator !== '=' || typeof term.value === 'boolean') return [term];
  const level = term.scope === 'event' ? 'event' : 'span';
  const others = synonymValues(term.key, name, term.value.text, level).slice(1);
  return [term, ...others.map((other) => ({ ...term, value: { type: 'string' as const, text: valueText(other) } }))];
}

function test(term: TermFilter, value: AttributeValue): boolean {
  if (!('value' in term)) return term.operator === 'exists';
  if (!Array.isArray(value)) return testScalar(term, value);
  const elements = value as readonly AttributeValue[];
  const every = term.operator === '!=' || term.operator === '!~';
  return every
    ? elements.length > 0 && elements.every((element) => testScalar(term, element))
    : elements.some((element) => testScalar(term, element));
}

function testScalar(term: Extract<TermFilter, { readonly value: unknown }>, value: AttributeValue): boolean {
  const wanted = typeof term.value === 'boolean' ? { type: 'boolean', text: String(term.value) } : term.value;
  if (term.operator === '=' || term.operator === '!=') return isAlike(wanted, value) === (term.operator === '=');
  if (wanted.type === 'boolean') return false;
  if (wanted.type === 'number') {
    return (
      (typeof value === 'bigint' || typeof value === 'number') && ordered(term.operator, value, numberOf(wanted.text))
    );
  }
  if (typeof value !== 'string') return false;
  if (term.operator === '=~' || term.operator === '!~') {
    const pattern = compilePattern(`(?s:${wanted.text})`, { whole: true });
    if (!pattern.ok) throw new Error(pattern.error);
    return pattern.value.test(value) === (term.operator === '=~');
  }
  return ordered(term.operator, Buffer.compare(bytesOfText(value), bytesOfText(wanted.text)), 0);
}

const isPrintedNumber = /^-?(0|[1-9]\d*)(\.\d+)?$/;

function numberOf(text: string): bigint | number {
  return /^[+-]?\d+$/.test(text) ? BigInt(text) : Number(text);
}

/** Whether a value is what is written, whatever types both have; `undefined` when their types cannot be compared at all. */
function isAlike(wanted: { readonly type: string; readonly text: string }, value: AttributeValue): boolean | undefined {
  const { text } = wanted;
  if (value instanceof Uint8Array) {
    const isWritten = [base64Of(value), hexOf(value, 0, value.length)].includes(text);
    return wanted.type === 'string' && isWritten ? true : undefined;
  }
  if (wanted.type === 'number' || isPrintedNumber.test(text)) {
    const number = numberOf(text);
    // Comparing a bigint with a number is exact in JavaScript.
    if (typeof value === 'bigint' || typeof value === 'number') return ordered('=', value, number);
    const isInteger = typeof number === 'bigint' || Number.isSafeInteger(number);
    const spellings = [text, String(number), ...(isInteger ? [`${number}.0`] : [])];
    return typeof value === 'string' ? spellings.includes(value) : undefined;
  }
  if (typeof value === 'boolean') return text === 'true' || text === 'false' ? String(value) === text : undefined;
  return typeof value === 'string' ? value === text : undefined;
}

function ordered(operator: string, a: number | bigint, b: number | bigint): boolean {
  switch (operator) {
    case '=':
      // oxlint-disable-next-line eqeqeq -- 5n and 5 are the same number
      return a == b;
    case '!=':
      // oxlint-disable-next-line eqeqeq -- 5n and 5 are the same number
      return a != b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<':
      return a < b;
    default:
      return a <= b;
  }
}
