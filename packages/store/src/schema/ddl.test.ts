import { describe, expect, it } from 'vitest';

import { createStatements, dropTable } from './ddl.ts';
import { currentSchema } from './tables.ts';

describe('DDL', () => {
  it('keeps the tenant first in the key of every data table, and the day first in its partition', () => {
    for (const table of currentSchema.tables.filter((each) => each.role === 'data')) {
      expect(table.orderBy[0], table.name).toBe('tenant');
      expect(table.partitionBy ?? 'day', table.name).toMatch(/^\(?day\b/);
      expect(table.columns.slice(0, 2).map((column) => column.name)).toEqual(['tenant', 'day']);
    }
  });

  it('makes every insert durable when it returns, on every kind of engine', () => {
    for (const ddl of [{ target: 'embedded' }, { target: 'server' }, { target: 'cluster', cluster: 'c' }] as const) {
      const tables = createStatements(currentSchema, ddl).filter((statement) => statement.includes('MergeTree'));
      expect(tables).toHaveLength(currentSchema.tables.length);
      for (const statement of tables) {
        expect(statement).toContain('fsync_after_insert = 1');
        expect(statement).toContain('fsync_part_directory = 1');
        expect(statement).toContain('deduplication_window = 1000');
      }
    }
  });

  it('gives each table of a cluster a replicated part and one that spreads, and views that work on each shard', () => {
    const statements = createStatements(currentSchema, { target: 'cluster', cluster: "it's `mine`" });
    expect(statements[0]).toContain("CREATE TABLE IF NOT EXISTS spans_local ON CLUSTER `it's \\`mine\\``");
    expect(statements[0]).toContain('ReplicatedMergeTree(');
    expect(statements[1]).toContain('Distributed(');
    for (const view of statements.filter((statement) => statement.includes('MATERIALIZED VIEW'))) {
      expect(view).toContain('FROM');
      expect(view).toMatch(/\bspans_local\b/);
      expect(view).not.toMatch(/FROM spans /);
    }
    expect(dropTable('spans', { target: 'cluster', cluster: 'c' })).toHaveLength(2);
  });
});
