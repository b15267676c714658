import type { CarrierAccess } from './carriers/carrier.ts';
import { recordCarrier } from './carriers/record.ts';
import type { TraceContext } from './context.ts';
import { trimmed } from './hex.ts';
import { isUnreserved, percentDecode, percentEncode } from './percent.ts';
import { extractW3c, injectW3c } from './w3c.ts';

/**
 * Context in comments of SQL statements, as sqlcommenter writes it: `/*traceparent='00-…',tracestate='…'*\/` with
 * percent-encoded values. https://google.github.io/sqlcommenter/spec/
 */

const tags: CarrierAccess<Record<string, unknown>> = recordCarrier({
  read: (value) => (typeof value === 'string' ? value : undefined),
});

/**
 * Reads the comment at the end or at the beginning of a statement. Comments elsewhere are not looked at: they may be part of a
 * string. False, and `into` is untouched, when no valid `traceparent` is there.
 */
export function extractSqlComment(sql: string, into: TraceContext): boolean {
  const statement = withoutTerminator(sql);
  if (statement.endsWith('*/') && extractW3c(tagsOf(lastComment(statement)), tags, into)) return true;
  if (!statement.startsWith('/*')) return false;
  const end = statement.indexOf('*/', 2);
  return end > 0 && extractW3c(tagsOf(statement.slice(2, end)), tags, into);
}

/** The comment of a context; '' when the context has no ids. */
export function formatSqlComment(context: Readonly<TraceContext>): string {
  const written: Record<string, unknown> = {};
  injectW3c(context, written, tags);
  // `traceparent` sorts before `tracestate`, as the specification demands; both are written in that order.
  const pairs = Object.entries(written).map(([key, value]) => `${key}='${percentEncode(String(value), isUnreserved)}'`);
  return pairs.length === 0 ? '' : `/*${pairs.join(',')}*/`;
}

/**
 * The statement with the comment of the context at its end, before the final `;`. The very same text when the context has no
 * ids, or when the statement has a comment: sqlcommenter leaves those alone, since a comment may be a hint to the database.
 */
export function injectSqlComment(sql: string, context: Readonly<TraceContext>): string {
  const comment = formatSqlComment(context);
  if (comment === '' || sql.includes('/*') || sql.includes('--')) return sql;
  const statement = withoutTerminator(sql);
  const end = sql.indexOf(statement) + statement.length;
  return statement === '' ? sql : `${sql.slice(0, end)} ${comment}${sql.slice(end)}`;
}

function lastComment(statement: string): string {
  const start = statement.lastIndexOf('/*');
  return start < 0 ? '' : statement.slice(start + 2, -2);
}

/** The `key='value'` pairs of a comment, values decoded. */
function tagsOf(comment: string): Record<string, unknown> {
  const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const pair of comment.split(',')) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const quoted = trimmed(pair, equals + 1);
    if (quoted.length < 2 || !quoted.startsWith("'") || !quoted.endsWith("'")) continue;
    found[percentDecode(trimmed(pair, 0, equals))] = percentDecode(quoted.slice(1, -1).replaceAll("\\'", "'"));
  }
  return found;
}

/** The statement without white space around it and `;` at its end. */
function withoutTerminator(sql: string): string {
  let statement = sql.trim();
  while (statement.endsWith(';')) statement = statement.slice(0, -1).trimEnd();
  return statement;
}
