import { synonymValues, valueText } from '@clew/model';

import type { Sql } from './sql.ts';
import type { TermFilter } from './term-conditions.ts';
import { anyTest, type TermValue, type ValueTest, valueTest } from './value-test.ts';

/** The comparison of a term under each name of its attribute. */
export type TermTests = (name: string) => ValueTest;

/**
 * Prepares the comparison of a term. Under another name the same thing may have another value (`mssql` is `microsoft.sql_server` today), so
 * equality asks there for that as well. Throws `invalid_argument` as `valueTest` does.
 */
export function termTests(sql: Sql, term: Extract<TermFilter, { readonly value: unknown }>): TermTests {
  const { operator, value, key } = term;
  const plain = valueTest(sql, operator, value);
  if (operator !== '=' || typeof value === 'boolean') return () => plain;
  const level = term.scope === 'event' ? 'event' : 'span';
  const known = new Map<string, ValueTest>();
  return (name) => {
    let test = known.get(name);
    if (test === undefined) {
      const others = synonymValues(key, name, value.text, level).slice(1);
      test = anyTest([plain, ...others.map((other) => valueTest(sql, '=', asTerm(valueText(other))))]);
      known.set(name, test);
    }
    return test;
  };
}

function asTerm(text: string): TermValue {
  return { type: 'string', text };
}
