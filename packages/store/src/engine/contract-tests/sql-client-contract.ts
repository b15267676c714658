import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParamScalar, SqlClient, StatementOptions } from '../client.ts';

/** An engine under test. The limits must be those of `contractLimits`. */
export interface ContractSubject {
  readonly client: SqlClient;
  close(): Promise<void>;
}

/** Limits every subject of the contract is opened with: small enough to be reached quickly. */
export const contractLimits = Object.freeze({
  maxScans: 2,
  maxPointReads: 2,
  maxWaiting: 30,
  maxWaitMs: 60_000,
  maxResultBytes: 4_000_000,
});

/** Reads that never end by themselves. */
export const endlessSql = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1';

const scan: StatementOptions = { class: 'scan', comment: 'contract' };
const control: StatementOptions = { class: 'control', comment: 'contract' };
const point: StatementOptions = { class: 'point', comment: 'contract' };

/** Waits until a condition holds; generous, as machines under test are busy. */
export async function eventually(condition: () => Promise<boolean> | boolean, maxMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + maxMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs)
      throw new Error(`The condition did not hold within ${maxMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many statements with a comment the engine is working on, as the engine itself sees it. */
export async function countRunning(client: SqlClient, comment: string): Promise<number> {
  const sql = `SELECT count() AS n FROM system.processes WHERE Settings['log_comment'] LIKE concat('%', {comment:String}) AND query NOT LIKE '%system.processes%'`;
  const [row] = await client.rows<{ n: string }>(sql, { ...control, params: { comment } });
  return Number(row?.n);
}

/** What every SqlClient keeps, whichever engine is behind it. */
export function describeSqlClient(name: string, open: () => Promise<ContractSubject>): void {
  describe(`${name} as a SqlClient`, () => {
    let subject: ContractSubject;
    let client: SqlClient;
    beforeAll(async () => {
      subject = await open();
      client = subject.client;
    }, 60_000);
    afterAll(async () => {
      await subject.close();
    }, 60_000);

    describeFailures(() => client);
    describeLimits(() => client);
    describeCancelling(() => client);
    describeParameters(() => client);
    describeResults(() => client);
    describeInserts(() => client);
  });
}

function describeFailures(client: () => SqlClient): void {
  it("reports a statement the engine refuses with the engine's number", async () => {
    await expect(client().rows('SELECT no_such_column', scan)).rejects.toMatchObject({
      code: 'sql_error',
      details: { engineCode: 47 },
    });
    await expect(client().execute('DROP TABLE no_such_table', control)).rejects.toMatchObject({
      code: 'sql_error',
      details: { engineCode: 60 },
    });
  });

  it('refuses a statement whose parameter is missing, even when an earlier statement had one of that name', async () => {
    await client().rows('SELECT {secret:String} AS v', { ...control, params: { secret: 'of somebody else' } });
    await expect(client().rows('SELECT {secret:String} AS v', control)).rejects.toMatchObject({
      code: 'sql_error',
      details: { engineCode: 456 },
    });
  });

  it('refuses an unknown setting and works on with the next statement', async () => {
    await expect(client().rows('SELECT 1', { ...control, settings: { no_such_setting: 1 } })).rejects.toMatchObject({
      code: 'sql_error',
    });
    await expect(client().rows('SELECT 1 AS v', control)).resolves.toEqual([{ v: 1 }]);
  });

  it('throws a failure after the first rows from the iteration', async () => {
    const sql = 'SELECT number, throwIf(number = 900000) FROM numbers(1000000)';
    const stream = await client().stream(sql, { ...scan, format: 'RowBinary' });
    let bytes = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of stream) bytes += chunk.byteLength;
    };
    await expect(read()).rejects.toMatchObject({ code: 'sql_error', details: { engineCode: 395 } });
    expect(bytes % 9).toBe(0);
    expect(bytes).toBeLessThanOrEqual(900_000 * 9);
  });
}

function describeLimits(client: () => SqlClient): void {
  it('stops a statement at its deadline and can be used at once afterwards', async () => {
    const sql = endlessSql;
    await expect(client().rows(sql, { ...scan, comment: 'deadline', timeoutMs: 300 })).rejects.toMatchObject({
      code: 'timeout',
    });
    await expect(client().rows('SELECT 1 AS v', scan)).resolves.toEqual([{ v: 1 }]);
    await eventually(async () => (await countRunning(client(), 'deadline')) === 0);
  });

  it('names the limit and the setting when a result has too many rows', async () => {
    const failure = client().rows('SELECT number FROM numbers(100000)', { ...scan, maxResultRows: 10 });
    await expect(failure).rejects.toMatchObject({
      code: 'result_limit',
      message: expect.stringMatching(/10 result rows.*clew_storage\.queries\.max_result_rows/),
    });
  });

  it('names the limit and the setting when a result has too many bytes', async () => {
    const failure = client().rows("SELECT repeat('x', 1000) AS v FROM numbers(20000)", scan);
    await expect(failure).rejects.toMatchObject({
      code: 'result_limit',
      message: expect.stringMatching(/4000000 bytes.*clew_storage\.queries\.max_result_bytes/),
    });
  });

  it('names the limit and the setting when a statement needs too much memory', async () => {
    const sql = 'SELECT count() FROM (SELECT number FROM numbers(5000000) GROUP BY number)';
    const failure = client().rows(sql, { ...scan, maxMemoryBytes: 10_000_000 });
    await expect(failure).rejects.toMatchObject({
      code: 'memory_limit',
      message: expect.stringMatching(/10000000 bytes.*clew_storage\.queries\.max_memory_bytes/),
    });
  });

  it('answers twenty point reads while scans keep their sessions busy', async () => {
    const abort = new AbortController();
    const scans = [1, 2].map(() => client().rows(endlessSql, { ...scan, comment: 'busy', signal: abort.signal }));
    const ended = Promise.allSettled(scans);
    await eventually(async () => (await countRunning(client(), 'busy')) === 2);
    const reads = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        client().rows<{ v: number }>('SELECT {i:UInt32} AS v', { ...point, params: { i: index } }),
      ),
    );
    expect(reads.map(([row]) => row?.v)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(
      client()
        .snapshot()
        .running.filter(({ comment }) => comment === 'busy'),
    ).toHaveLength(2);
    abort.abort();
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('refuses what can neither run nor wait as overloaded', async () => {
    const abort = new AbortController();
    const reads = Array.from({ length: 33 }, () =>
      client().rows(endlessSql, { ...scan, comment: 'flood', signal: abort.signal }),
    );
    const ended = Promise.allSettled(reads);
    await expect(reads[32]).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('clew_storage.queries.max_waiting'),
    });
    abort.abort();
    const codes = (await ended).map((one) =>
      one.status === 'rejected' ? (one.reason as { code: string }).code : 'fulfilled',
    );
    expect(codes.toSorted()).toEqual([...Array.from({ length: 32 }, () => 'cancelled'), 'overloaded']);
  });
}

function describeCancelling(client: () => SqlClient): void {
  it('kills the statement when its caller aborts', async () => {
    const abort = new AbortController();
    const failure = client().rows(endlessSql, { ...scan, comment: 'abort me', signal: abort.signal });
    const outcome = expect(failure).rejects.toMatchObject({ code: 'cancelled' });
    await eventually(async () => (await countRunning(client(), 'abort me')) === 1);
    abort.abort();
    await outcome;
    await eventually(async () => (await countRunning(client(), 'abort me')) === 0);
  });

  it('does not send a statement whose signal is aborted already', async () => {
    await expect(client().rows('SELECT 1', { ...scan, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('kills the statement when the iteration of its result ends early', async () => {
    const stream = await client().stream('SELECT number FROM numbers(1000000000000)', {
      ...scan,
      comment: 'enough',
      maxResultRows: 0,
      format: 'Native',
    });
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += chunk.byteLength;
      if (bytes > 10_000_000) break;
    }
    await eventually(async () => (await countRunning(client(), 'enough')) === 0);
    expect(client().snapshot().running).toEqual([]);
  });

  it('gives the turn of a result nobody reads back at its deadline', async () => {
    await client().stream('SELECT number FROM numbers(1000000000000)', {
      ...scan,
      comment: 'unread',
      timeoutMs: 300,
      maxResultRows: 0,
      format: 'Native',
    });
    expect(client().snapshot().running).toHaveLength(1);
    await eventually(() => client().snapshot().running.length === 0);
    await eventually(async () => (await countRunning(client(), 'unread')) === 0);
  });
}

function describeParameters(client: () => SqlClient): void {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(
        "'",
        '\\',
        '\u0000',
        '\n',
        '\t',
        '`',
        '"',
        '{',
        '}',
        ';',
        '--',
        '/*',
        '\ud800',
        '\u2028',
        'x',
        'N',
        '%',
        '&',
        '+',
      ),
      maxLength: 30,
    }),
  );

  it('gives every text back as it was sent, alone, in arrays and as bytes', async () => {
    const property = fc.asyncProperty(
      text,
      fc.array(text, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 40 }),
      async (one, many, bytes) => {
        const sql =
          'SELECT hex({one:String}) AS one, arrayMap(v -> hex(v), {many:Array(String)}) AS many, hex({bytes:String}) AS bytes';
        const rows = await client().rows<{ one: string; many: string[]; bytes: string }>(sql, {
          ...point,
          params: { one, many, bytes },
        });
        const hex = (value: string | Uint8Array): string =>
          Buffer.from(value as string)
            .toString('hex')
            .toUpperCase();
        expect(rows).toEqual([
          { one: hex(one.toWellFormed()), many: many.map((value) => hex(value.toWellFormed())), bytes: hex(bytes) },
        ]);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  }, 60_000);

  it('gives numbers back without loss', async () => {
    const params: Record<string, ParamScalar | readonly ParamScalar[]> = {
      big: 2n ** 64n - 1n,
      low: -(2n ** 63n),
      float: 0.1,
      yes: true,
      list: [1n, 2n ** 63n],
    };
    const sql =
      'SELECT {big:UInt64} AS big, {low:Int64} AS low, {float:Float64} AS float, {yes:Bool} AS yes, {list:Array(UInt64)} AS list';
    const rows = await client().rows(sql, { ...point, params });
    expect(rows).toEqual([
      {
        big: '18446744073709551615',
        low: '-9223372036854775808',
        float: 0.1,
        yes: true,
        list: ['1', '9223372036854775808'],
      },
    ]);
  });

  it('takes ten thousand trace ids in one parameter', async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => index.toString(16).padStart(32, '0'));
    const sql = 'SELECT length({ids:Array(String)}) AS n, {ids:Array(String)}[10000] AS last';
    await expect(client().rows(sql, { ...point, params: { ids } })).resolves.toEqual([
      { n: '10000', last: ids[9_999] },
    ]);
  });

  it('refuses parameters that do not fit into a request', async () => {
    const failure = client().rows('SELECT length({v:String})', { ...point, params: { v: 'x'.repeat(1_100_000) } });
    await expect(failure).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('keeps settings from one statement to itself', async () => {
    const sql = "SELECT getSetting('max_block_size') AS size, getSetting('insert_deduplication_token') AS token";
    const [before] = await client().rows<{ size: string; token: string }>(sql, control);
    const settings = { max_block_size: 1234, insert_deduplication_token: "it's" };
    await expect(client().rows(sql, { ...control, settings })).resolves.toEqual([{ size: 1234, token: "it's" }]);
    await expect(client().rows(sql, control)).resolves.toEqual([before]);
  });
}

function describeResults(client: () => SqlClient): void {
  it('gives 64-bit integers as text', async () => {
    await expect(client().rows('SELECT toUInt64(18446744073709551615) AS v', scan)).resolves.toEqual([
      { v: '18446744073709551615' },
    ]);
  });

  it('gives an empty result as no rows', async () => {
    await expect(client().rows('SELECT 1 AS v WHERE 0', scan)).resolves.toEqual([]);
  });

  it('gives the rows of SHOW, DESCRIBE and EXPLAIN', async () => {
    await expect(client().rows('DESCRIBE TABLE system.one', control)).resolves.toMatchObject([
      { name: 'dummy', type: 'UInt8' },
    ]);
    await expect(client().rows('EXPLAIN SELECT 1', control)).resolves.not.toEqual([]);
    await expect(client().rows("SHOW TABLES FROM system LIKE 'one'", control)).resolves.toEqual([{ name: 'one' }]);
  });

  it('streams a large result whole and in order', async () => {
    const stream = await client().stream('SELECT number FROM numbers(3000000)', {
      ...scan,
      maxResultRows: 0,
      format: 'RowBinary',
    });
    const parts: Uint8Array[] = [];
    for await (const chunk of stream) parts.push(chunk);
    const values = new BigUint64Array(new Uint8Array(Buffer.concat(parts)).buffer);
    expect(values).toHaveLength(3_000_000);
    expect(values.findIndex((value, index) => value !== BigInt(index))).toBe(-1);
  });

  it('lets a slow reader slow the engine down instead of collecting the result', async () => {
    const stream = await client().stream('SELECT number FROM numbers(1000000000000)', {
      ...scan,
      maxResultRows: 0,
      format: 'RowBinary',
    });
    const before = process.memoryUsage.rss();
    let chunks = 0;
    for await (const _ of stream) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (++chunks === 100) break;
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  }, 30_000);
}

function describeInserts(client: () => SqlClient): void {
  const table = `contract_${randomUUID().replaceAll('-', '')}`;
  let directory: string;
  let path: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "clew contract's "));
    path = join(directory, 'block.native');
    const engine = 'MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100';
    await client().execute(
      `CREATE TABLE ${table} (n UInt64, text String, kept UInt8 DEFAULT 7) ENGINE = ${engine}`,
      control,
    );
    const parts: Uint8Array[] = [];
    for await (const part of await client().stream(
      "SELECT number AS n, concat('row ', toString(number)) AS text FROM numbers(50000) SETTINGS max_block_size = 100000",
      { ...scan, format: 'Native' },
    ))
      parts.push(part);
    await writeFile(path, parts);
  });
  afterAll(async () => {
    await client().execute(`DROP TABLE ${table}`, control);
    await rm(directory, { recursive: true });
  });
  const count = async (): Promise<unknown[]> =>
    client().rows(`SELECT count() AS n, sum(kept) AS kept FROM ${table}`, control);

  it('inserts a file as one part, and once only under its token', async () => {
    const insert = { table, columns: ['n', 'text'], path, token: 'segment-1', comment: 'insert' };
    await client().insertFile(insert);
    await client().insertFile(insert);
    await expect(count()).resolves.toEqual([{ n: '50000', kept: '350000' }]);
    await client().insertFile({ ...insert, token: 'segment-2' });
    await expect(count()).resolves.toEqual([{ n: '100000', kept: '700000' }]);
    const parts = await client().rows(
      'SELECT count() AS parts, max(rows) AS rows FROM system.parts WHERE table = {table:String} AND level = 0',
      { ...control, params: { table } },
    );
    expect(parts).toEqual([{ parts: '2', rows: '50000' }]);
  });

  it('fails to insert a file that is missing, is no block, or lacks a column', async () => {
    const insert = { table, columns: ['n', 'text'], path, token: 'segment-x', comment: 'insert' };
    const garbage = join(directory, 'garbage.native');
    await writeFile(garbage, 'this is no block');
    await expect(client().insertFile({ ...insert, path: garbage })).rejects.toMatchObject({ code: 'sql_error' });
    await expect(client().insertFile({ ...insert, columns: ['n', 'absent'] })).rejects.toMatchObject({
      code: 'sql_error',
    });
    await expect(client().insertFile({ ...insert, path: join(directory, 'absent') })).rejects.toThrow(/absent/);
    await expect(client().insertFile({ ...insert, table: 'a.b.c' })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });
}
