import { errorMessage } from '@clew/base';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { openTestStore, type TestStore } from '../reader/test-support/test-store.ts';
import { migrate, migrations } from './migrate.ts';
import { samplingTables } from './sampling-tables.ts';
import { addColumn, rebuildTable, splitTable } from './migration-steps.ts';
import type { Migration } from './migration-types.ts';
import type { SchemaSpec, TableSpec } from './table-types.ts';
import { currentSchema } from './tables.ts';

let store: TestStore;
beforeAll(async () => {
  store = await openTestStore({ version: 0, tables: [], views: [] });
}, 60_000);
afterAll(() => store.close());
afterEach(async () => {
  const tables = await store.client.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY engine = 'MaterializedView' DESC",
    control,
  );
  for (const { name } of tables) await store.client.execute(`DROP TABLE IF EXISTS ${name} SYNC`, control);
});

const control: StatementOptions = { class: 'control', comment: 'test' };
const ddl = { target: 'embedded' } as const;

const column = (name: string, type: string): { name: string; type: string } => ({ name, type });
const base = [column('tenant', 'String'), column('day', 'UInt16'), column('id', 'UInt32')];
const things = (columns: TableSpec['columns'], orderBy: readonly string[]): TableSpec => ({
  name: 'things',
  role: 'data',
  engine: 'merge',
  columns,
  orderBy,
});
const seen: TableSpec = {
  name: 'seen',
  role: 'data',
  engine: 'replacing',
  columns: [column('tenant', 'String'), column('day', 'UInt16')],
  orderBy: ['tenant'],
};
const seenView = {
  name: 'seen_view',
  from: 'things',
  to: 'seen',
  columns: ['tenant', 'day'],
  select: 'tenant, day',
  tail: 'GROUP BY tenant, day',
};
const colors: TableSpec = {
  name: 'colors',
  role: 'data',
  engine: 'merge',
  columns: [...base, column('color', 'String')],
  orderBy: ['tenant', 'color', 'id'],
};
const one: SchemaSpec = {
  version: 1,
  tables: [things([...base, column('color', 'String')], ['tenant', 'id']), seen],
  views: [seenView],
};
const two: SchemaSpec = {
  version: 2,
  tables: [things([...base, column('color', 'String'), column('size', 'UInt8')], ['tenant', 'id']), seen],
  views: [seenView],
};
const three: SchemaSpec = {
  version: 3,
  tables: [things([...base, column('color', 'String'), column('size', 'UInt8')], ['tenant', 'size', 'id']), seen],
  views: [seenView],
};
const four: SchemaSpec = {
  version: 4,
  tables: [things([...base, column('size', 'UInt8')], ['tenant', 'size', 'id']), seen, colors],
  views: [seenView],
};
const path: readonly Migration[] = [
  { schema: two, steps: [addColumn('things', column('size', 'UInt8'))] },
  { schema: three, steps: [rebuildTable('things', { size: 'toUInt8(id % 7)' })] },
  { schema: four, steps: [splitTable('things', 'colors')] },
];

/** Creates version 1 with three days of rows. */
async function createFirst(): Promise<void> {
  await migrate(store.client, ddl, { target: { schema: one, migrations: [] } });
  await store.client.execute(
    "INSERT INTO things (tenant, day, id, color) SELECT 't', 20000 + number % 3, number, ['red', 'green'][1 + number % 2] FROM numbers(3000)",
    control,
  );
}

interface Total {
  readonly rows: string;
  readonly ids: string;
  readonly sum: string;
}

async function total(table: string, more = ''): Promise<Total> {
  const rows = await store.client.rows<Total>(
    `SELECT count() AS rows, uniqExact(id) AS ids, sum(id) AS sum FROM ${table} ${more}`,
    control,
  );
  return rows[0]!;
}

const whole = { rows: '3000', ids: '3000', sum: '4498500' };

/** A client that fails before its `after`-th statement that changes something: the moment of a crash. */
function failingClient(after: number): SqlClient {
  let left = after;
  const { client } = store;
  return {
    ...client,
    target: client.target,
    rows: (sql, options) => client.rows(sql, options),
    stream: (sql, options) => client.stream(sql, options),
    insertFile: (insert) => client.insertFile(insert),
    snapshot: () => client.snapshot(),
    async execute(sql, options) {
      if (left-- === 0) throw new Error('the machine stopped');
      await client.execute(sql, options);
    },
  };
}

describe('a schema', () => {
  it('of a newer version is refused in one sentence', async () => {
    await createFirst();
    await migrate(store.client, ddl, { target: { schema: three, migrations: path } });
    const refused = migrate(store.client, ddl, { target: { schema: one, migrations: [] } });
    await expect(refused).rejects.toThrow(
      'The data was written with schema version 3 and this version of Clew knows up to 1: start the newer Clew again, or choose another data directory.',
    );
    await expect(refused).rejects.toMatchObject({ code: 'schema_newer' });
  }, 60_000);

  it('without a way from the version found is refused', async () => {
    await createFirst();
    const refused = migrate(store.client, ddl, { target: { schema: four, migrations: path.slice(2) } });
    await expect(refused).rejects.toBeInstanceOf(StoreError);
    await expect(refused).rejects.toMatchObject({ code: 'schema_failed' });
  }, 60_000);

  it('goes from the first version to the last with a new column, another key and a split table, keeping every row', async () => {
    await createFirst();
    await migrate(store.client, ddl, { target: { schema: four, migrations: path } });
    expect(await total('things')).toEqual(whole);
    expect(await total('things', 'WHERE size = id % 7')).toEqual(whole);
    expect(await total('colors', "WHERE color = ['red', 'green'][1 + id % 2]")).toEqual(whole);
    const columns = await store.client.rows<{ name: string }>(
      "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'things'",
      control,
    );
    expect(columns.map((each) => each.name)).toEqual(['tenant', 'day', 'id', 'size']);
    const keys = await store.client.rows<{ key: string }>(
      "SELECT sorting_key AS key FROM system.tables WHERE database = currentDatabase() AND name = 'things'",
      control,
    );
    expect(keys).toEqual([{ key: 'tenant, size, id' }]);
    await migrate(store.client, ddl, { target: { schema: four, migrations: path } });
    expect(await total('things')).toEqual(whole);
  }, 60_000);

  it('that was interrupted at any statement is completed by the next start, losing and doubling nothing', async () => {
    await createFirst();
    const target = { schema: four, migrations: path };
    let interruptions = 0;
    for (let finished = false; !finished;) {
      // Each attempt gets a few statements further than what is recorded, and stops there.
      try {
        await migrate(failingClient(3 + (interruptions % 9)), ddl, { target });
        finished = true;
      } catch (error) {
        expect(errorMessage(error)).toContain('the machine stopped');
        interruptions++;
        expect(interruptions).toBeLessThan(200);
      }
    }
    expect(interruptions).toBeGreaterThan(10);
    expect(await total('things', 'WHERE size = id % 7')).toEqual(whole);
    expect(await total('colors')).toEqual(whole);
    const left = await store.client.rows<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, '_(old|next|stage)$')",
      control,
    );
    expect(left).toEqual([]);
  }, 120_000);

  it('takes new rows all the time but while tables change places', async () => {
    await createFirst();
    let held = false;
    let inserted = 0;
    const insertSome = async (): Promise<void> => {
      if (held) return;
      const id = 10_000 + inserted++;
      await store.client.execute(`INSERT INTO things (tenant, day, id) SELECT 'live', 20002, ${id}`, control);
    };
    const { client } = store;
    const busy: SqlClient = {
      target: client.target,
      rows: (sql, options) => client.rows(sql, options),
      stream: (sql, options) => client.stream(sql, options),
      insertFile: (insert) => client.insertFile(insert),
      snapshot: () => client.snapshot(),
      async execute(sql, options) {
        await insertSome();
        await client.execute(sql, options);
      },
    };
    await migrate(busy, ddl, {
      target: { schema: three, migrations: path },
      async holdInserts(work) {
        held = true;
        try {
          return await work();
        } finally {
          held = false;
        }
      },
    });
    expect(inserted).toBeGreaterThan(5);
    expect(await total('things', "WHERE tenant = 't'")).toEqual(whole);
    expect((await total('things', "WHERE tenant = 'live'")).ids).toBe(String(inserted));
    expect((await total('things', "WHERE tenant = 'live'")).rows).toBe(String(inserted));
  }, 60_000);
});

describe('the schema of the store', () => {
  /** What the first release had. */
  const first: SchemaSpec = {
    ...currentSchema,
    version: 1,
    tables: currentSchema.tables.filter((table) => !samplingTables.includes(table)),
  };
  const columns = async (): Promise<string[]> => {
    const rows = await store.client.rows<{ at: string }>(
      "SELECT concat(table, '.', name, ' ', type) AS at FROM system.columns WHERE database = currentDatabase() ORDER BY at",
      control,
    );
    return rows.map(({ at }) => at);
  };

  it('has a way from its first version that ends where a new store begins, keeping what is stored', async () => {
    await migrate(store.client, ddl, { target: { schema: first, migrations: [] } });
    await store.client.execute("INSERT INTO spans (tenant, day, name) SELECT 't', 20000, 'old'", control);
    await migrate(store.client, ddl);
    const migrated = await columns();
    expect(migrations.map(({ schema }) => schema.version)).toEqual(
      Array.from({ length: currentSchema.version - 1 }, (_, i) => i + 2),
    );
    const rows = await store.client.rows('SELECT name FROM spans', control);
    expect(rows).toEqual([{ name: 'old' }]);
    const tables = [...new Set(migrated.map((at) => at.split('.')[0]!))];
    for (const name of tables.toSorted((a) => (a.endsWith('_view') ? -1 : 1))) {
      await store.client.execute(`DROP TABLE IF EXISTS ${name} SYNC`, control);
    }
    await migrate(store.client, ddl);
    expect(await columns()).toEqual(migrated);
  }, 60_000);
});
