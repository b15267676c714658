import { formatDurationExact } from './duration.ts';

/** Where an attribute is looked for; `any` is span, then resource, as a bare `.key` in TraceQL. */
export type AttributeScope = 'any' | 'span' | 'resource' | 'event' | 'link' | 'instrumentation';

/** How a term compares. `exists` and `missing` have no value. */
export type TermOperator = '=' | '!=' | '>' | '>=' | '<' | '<=' | '=~' | '!~' | 'exists' | 'missing';

/** A span kind as TraceQL writes it. */
export type SpanKindWord = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** All kinds, at the number OTLP gives them. */
export const spanKindWords: readonly SpanKindWord[] = [
  'unspecified',
  'internal',
  'server',
  'client',
  'producer',
  'consumer',
];

/**
 * The right side of a term. A number is kept as its text so that 64-bit integers stay exact; it matches
 * integers, doubles and, for `=` and `!=`, strings spelling the same number.
 */
export type TermValue =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'boolean'; readonly value: boolean };

/** One condition on one attribute. `value` is absent exactly for `exists` and `missing`. */
export interface AttributeTerm {
  readonly scope: AttributeScope;
  readonly key: string;
  readonly operator: TermOperator;
  readonly value?: TermValue;
}

/**
 * What a search asks of one span: all conditions must hold on the same span, as within one `{ }` of
 * TraceQL. A trace is found when at least one of its spans satisfies them.
 */
export interface SearchFilter {
  readonly service?: string;
  /** The span's exact name. */
  readonly operation?: string;
  readonly status?: 'error' | 'ok' | 'unset';
  readonly kind?: SpanKindWord;
  /** Inclusive bounds of the span's own duration. */
  readonly minDurationNano?: bigint;
  readonly maxDurationNano?: bigint;
  /** Only spans without a parent. */
  readonly rootOnly: boolean;
  readonly terms: readonly AttributeTerm[];
}

/** The filter that every span satisfies. */
export const emptyFilter: SearchFilter = Object.freeze({ rootOnly: false, terms: Object.freeze([]) });

/** True when every span satisfies the filter. */
export function isEmptyFilter(filter: SearchFilter): boolean {
  return conditions(filter).length === 0;
}

/** Writes a filter as canonical TraceQL; the empty filter is the empty text. */
export function formatFilter(filter: SearchFilter): string {
  const parts = conditions(filter);
  return parts.length === 0 ? '' : `{ ${parts.join(' && ')} }`;
}

/** Each condition of a filter as text, beside the filter without it, in canonical order. */
export function dropEachCondition(filter: SearchFilter): { readonly term: string; readonly without: SearchFilter }[] {
  const { service, operation, status, kind, minDurationNano, maxDurationNano, ...rest } = filter;
  const scalars = { service, operation, status, kind, minDurationNano, maxDurationNano };
  const dropped: { term: string; without: SearchFilter }[] = [];
  for (const name of Object.keys(scalars) as (keyof typeof scalars)[]) {
    if (scalars[name] === undefined) continue;
    const alone = { ...emptyFilter, [name]: scalars[name] };
    const { [name]: _, ...without } = filter;
    dropped.push({ term: conditions(alone).join(' && '), without });
  }
  if (rest.rootOnly) {
    dropped.push({ term: rootCondition, without: { ...filter, rootOnly: false } });
  }
  rest.terms.forEach((term, index) => {
    dropped.push({ term: formatTerm(term), without: { ...filter, terms: filter.terms.filter((_, i) => i !== index) } });
  });
  return dropped;
}

const rootCondition = 'nestedSetParent < 0';

function conditions(filter: SearchFilter): string[] {
  const parts: string[] = [];
  if (filter.service !== undefined) parts.push(`resource.service.name = ${quote(filter.service)}`);
  if (filter.operation !== undefined) parts.push(`name = ${quote(filter.operation)}`);
  if (filter.status !== undefined) parts.push(`status = ${filter.status}`);
  if (filter.kind !== undefined) parts.push(`kind = ${filter.kind}`);
  if (filter.minDurationNano !== undefined) parts.push(`duration >= ${formatDurationExact(filter.minDurationNano)}`);
  if (filter.maxDurationNano !== undefined) parts.push(`duration <= ${formatDurationExact(filter.maxDurationNano)}`);
  if (filter.rootOnly) parts.push(rootCondition);
  parts.push(...filter.terms.map(formatTerm));
  return parts;
}

/** Writes one attribute condition as TraceQL. */
export function formatTerm(term: AttributeTerm): string {
  const scope = term.scope === 'any' ? '' : term.scope;
  const name = `${scope}.${/^[\w.\-/@#:$%*?;,]+$/.test(term.key) ? term.key : quote(term.key)}`;
  if (term.operator === 'exists') return `${name} != nil`;
  if (term.operator === 'missing') return `${name} = nil`;
  return `${name} ${term.operator} ${formatValue(term.value)}`;
}

/** Writes a value as TraceQL: strings quoted, numbers and booleans bare. */
export function formatValue(value: TermValue | undefined): string {
  if (value === undefined) return 'nil';
  if (value.type === 'string') return quote(value.text);
  return value.type === 'number' ? value.text : String(value.value);
}

/** A TraceQL string literal. */
export function quote(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\r/g, '\\r');
  return `"${escaped}"`;
}
