import { HotBit } from '../block/hot-attributes.ts';
import { hasText } from './map-keys.ts';
import { type Sql } from './sql.ts';
import type { TagFilter } from './tag-conditions.ts';

/** A tag that stands for a field of the span. */
export interface SpecialTag {
  readonly condition: string;
  /** True when attributes of that name need not be looked at. */
  readonly only: boolean;
}

const kinds: Readonly<Record<string, number>> = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const statuses: Readonly<Record<string, number>> = { unset: 0, ok: 1, error: 2 };

/**
 * Tags that search fields of spans: what Jaeger's views show as tags is searchable as shown. `undefined` when the key is an ordinary attribute.
 * Rules: jaegertracing/jaeger `internal/storage/v2/memory`, and the tags of its OTLP translation.
 */
export function specialTag(sql: Sql, tenant: string, { key, value }: TagFilter): SpecialTag | undefined {
  switch (key) {
    case 'error':
      return errorTag(value);
    case 'span.kind':
      return field('kind', kinds[value.toLowerCase()]);
    case 'span.status':
    case 'otel.status_code':
      return field('status', statuses[value.toLowerCase()]);
    case 'otel.status_description':
      return { condition: `status_message = ${sql.text(value)}`, only: false };
    case 'w3c.tracestate':
      return { condition: `trace_state = ${sql.text(value)}`, only: false };
    case 'event':
      return { condition: hasText('ev_name', value, sql.text(value)), only: false };
    case 'scope.name':
    case 'otel.scope.name':
    case 'otel.library.name':
      return scopeTag(sql, tenant, 'scope_name', value);
    case 'scope.version':
    case 'otel.scope.version':
    case 'otel.library.version':
      return scopeTag(sql, tenant, 'scope_version', value);
    default:
      return undefined;
  }
}

function errorTag(value: string): SpecialTag {
  if (value === 'true') return { condition: `bitAnd(hot, ${HotBit.ERROR}) != 0`, only: true };
  if (value === 'false') return { condition: `bitAnd(hot, ${HotBit.ERROR}) = 0`, only: true };
  return { condition: '0', only: false };
}

function field(column: string, number: number | undefined): SpecialTag {
  return { condition: number === undefined ? '0' : `${column} = ${number}`, only: false };
}

function scopeTag(sql: Sql, tenant: string, column: string, value: string): SpecialTag {
  const condition = `res_id IN (SELECT res_id FROM resources WHERE tenant = ${sql.text(tenant)} AND ${column} = ${sql.text(value)})`;
  return { condition, only: false };
}
