import { allOf, type Sql } from './sql.ts';
import type { TermFilter } from './term-conditions.ts';
import type { ValueTest } from './value-test.ts';

/** Columns of text that are searched under a name of their own. */
const textColumns: Readonly<Record<string, string>> = {
  name: 'name',
  statusMessage: 'status_message',
  'status.message': 'status_message',
  'span:name': 'name',
  'span:statusMessage': 'status_message',
  'trace.state': 'trace_state',
};

/** Columns of ids: 16 bytes or 8. */
const idColumns: Readonly<Record<string, { readonly column: string; readonly bytes: 8 | 16 }>> = {
  'trace.id': { column: 'trace_id', bytes: 16 },
  'trace:id': { column: 'trace_id', bytes: 16 },
  'span.id': { column: 'span_id', bytes: 8 },
  'span:id': { column: 'span_id', bytes: 8 },
  'parent.id': { column: 'parent_id', bytes: 8 },
  'span:parentID': { column: 'parent_id', bytes: 8 },
};

/** The condition of a term without scope on the field of the span that has its key as name, if there is one and it can satisfy the term. */
export function fieldBranch(sql: Sql, term: TermFilter, test: ValueTest): string | undefined {
  const column = textColumns[term.key];
  if (column !== undefined) {
    return test.string === undefined ? undefined : allOf([`${column} != ''`, test.string(column)]);
  }
  const id = idColumns[term.key];
  if (id === undefined || !('value' in term)) return undefined;
  const zero = `toFixedString('', ${id.bytes})`;
  const isSet = `${id.column} != ${zero}`;
  if (typeof term.value === 'boolean') return undefined;
  if (term.operator === '=' || term.operator === '!=') {
    const bytes = idBytes(term.value.text, id.bytes);
    if (bytes === undefined) return term.operator === '=' ? undefined : isSet;
    const wanted = sql.value(id.bytes === 16 ? 'FixedString(16)' : 'FixedString(8)', bytes);
    return allOf([isSet, `${id.column} ${term.operator} ${wanted}`]);
  }
  return test.string === undefined ? undefined : allOf([isSet, test.string(`lower(hex(${id.column}))`)]);
}

/** The bytes of an id in hexadecimal; leading zeros may be left out, as trace ids of 64 bits are often written. */
function idBytes(text: string, bytes: number): Uint8Array | undefined {
  if (text.length === 0 || text.length > bytes * 2 || !/^[0-9a-f]+$/i.test(text)) return undefined;
  return Buffer.from(text.padStart(bytes * 2, '0'), 'hex');
}
