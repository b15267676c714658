import { compilePattern } from '@clew/base';
import {
  bytesOfText,
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
    attributes.some(({ key, value }) => names.includes(key) && variants(term, key).some((each) => test(each, value)));
  const isPresent = (attributes: readonly KeyValue[]): boolean => valuesOf(attributes, names).length > 0;
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
      if (lacks) return events.some((event) => !isPresent(event.attributes));
      return events.some(
        (event) =>
          flat(event.attributes, names, term) || (term.key === 'name' && event.name !== '' && test(term, event.name)),
      );
    case 'link':
      if (lacks) return links.some((link) => !isPresent(link.attributes));
      return links.some((link) => flat(link.attributes, names, term));
    case 'any':
      if (lacks) return !isPresent(attributes) && !isPresent(resource.attributes);
      return some(attributes) || some(resource.attributes) || fieldHolds(span, term);
  }
}

/** Arrays of events and links are not looked into. */
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

function valuesOf(attributes: readonly KeyValue[], names: readonly string[]): AttributeValue[] {
  return attributes.filter(({ key }) => names.includes(key)).map(({ value }) => value);
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
