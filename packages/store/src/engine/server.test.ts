import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './contract-tests/sql-client-contract.ts';
import { openServerEngine } from './server.ts';

interface Seen {
  readonly parameters: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A server that records requests; `answer` may handle one itself, else it gets a version or an empty result. */
async function listen(
  answer: (seen: Seen, response: ServerResponse) => boolean = () => false,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { searchParams: parameters } = new URL(request.url ?? '/', 'http://server');
      const one: Seen = { parameters, headers: request.headers, body: Buffer.concat(chunks) };
      seen.push(one);
      if (!answer(one, response)) response.end(one.body.includes('version()') ? '{"version":"26.7"}\n' : '');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const scan = { class: 'scan', comment: 'test' } as const;

describe('a ClickHouse server', () => {
  it.each(['localhost:8123', 'ftp://host', 'http://user:secret@host:8123', 'http://host:8123/?database=x'])(
    'is refused by the address %s',
    async (url) => {
      await expect(openServerEngine({ url })).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  );

  it('that does not answer is reported after the time allowed', async () => {
    const { url } = await listen();
    servers[0]?.close();
    await expect(openServerEngine({ url, limits: { maxUnavailableMs: 100 } })).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('that answers with something else than ClickHouse is reported', async () => {
    const { url } = await listen((_, response) => {
      response.writeHead(502).end('Bad gateway');
      return true;
    });
    await expect(openServerEngine({ url })).rejects.toMatchObject({
      code: 'sql_error',
      message: expect.stringContaining('Bad gateway'),
    });
  });

  it('receives credentials as headers, the database, the limits and the settings as parameters', async () => {
    const { url, seen } = await listen();
    const { client, stop } = await openServerEngine({
      url,
      user: 'ada',
      password: 'secret',
      database: 'clew',
      cluster: 'main',
    });
    await client.execute('CREATE TABLE t (n UInt8)', {
      ...scan,
      timeoutMs: 1_500,
      settings: { max_threads: 3 },
      params: { p: "it's" },
    });
    const { headers, parameters, body } = seen.at(-1) ?? expect.fail('Nothing was received');
    expect(headers).toMatchObject({ 'x-clickhouse-user': 'ada', 'x-clickhouse-key': 'secret' });
    expect(Object.fromEntries(parameters)).toMatchObject({
      database: 'clew',
      log_comment: 'test',
      max_execution_time: '1.5',
      max_result_rows: '1000000',
      max_threads: '3',
      param_p: 'it\\x27s',
      async_insert: '0',
      output_format_json_quote_64bit_integers: '1',
    });
    expect(body.toString()).toBe('CREATE TABLE t (n UInt8)');
    expect(client.target).toBe('cluster');
    expect(client.cluster).toBe('main');
    await stop();
  });

  it('receives a block file as the body of an insert', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'clew-server-'));
    const path = join(directory, 'block');
    await writeFile(path, Buffer.alloc(300_000, 7));
    const { url, seen } = await listen();
    const { client } = await openServerEngine({ url });
    await client.insertFile({ table: 'clew.spans', columns: ['a', 'b`'], path, token: 'seg-9', comment: 'insert' });
    await rm(directory, { recursive: true });
    const { parameters, body } = seen.at(-1) ?? expect.fail('Nothing was received');
    expect(parameters.get('query')).toBe('INSERT INTO `clew`.`spans` (`a`, `b\\``) FORMAT Native');
    expect(parameters.get('insert_deduplication_token')).toBe('seg-9');
    expect(body.equals(Buffer.alloc(300_000, 7))).toBe(true);
  });

  it('is asked to kill a statement that was given up', async () => {
    const { url, seen } = await listen(({ body }) => body.includes('endless'));
    const { client } = await openServerEngine({ url });
    const abort = new AbortController();
    const outcome = expect(client.rows('SELECT endless', { ...scan, signal: abort.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await eventually(() => seen.some(({ body }) => body.includes('endless')));
    abort.abort();
    await outcome;
    await eventually(() => seen.some(({ body }) => body.includes('KILL QUERY WHERE query_id = {id:String} ASYNC')));
    const endless = seen.find(({ body }) => body.includes('endless'));
    expect(seen.at(-1)?.parameters.get('param_id')).toBe(endless?.parameters.get('query_id'));
  });

  it('that answers no more within the deadline is given up soon after it', async () => {
    const { url } = await listen(({ body }) => body.includes('endless'));
    const { client } = await openServerEngine({ url });
    await expect(client.rows('SELECT endless', { ...scan, timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('that breaks the connection midway is reported, and asked again until it is back', async () => {
    const { url } = await listen(({ body }, response) => {
      if (!body.includes('broken')) return false;
      response.write('{"a":1}\n', () => response.destroy());
      return true;
    });
    const { client, stop } = await openServerEngine({ url });
    await expect(client.rows('SELECT broken', scan)).rejects.toMatchObject({ code: 'engine_unavailable' });
    expect(client.snapshot().state.kind).toBe('restarting');
    await eventually(() => client.snapshot().state.kind === 'ready');
    await stop();
  });
});
