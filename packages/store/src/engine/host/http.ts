import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { StatementClass } from '../client.ts';
import {
  classHeader,
  engineCodes,
  exceptionCodeHeader,
  exceptionTagHeader,
  exceptionWord,
  maxTargetBytes,
  reservedParameters,
} from '../protocol.ts';
import { EngineFailure } from './engine-failure.ts';
import type { StatementRequest, StatementRunner } from './statement.ts';

/** What the HTTP side needs to know. */
export interface HttpOptions {
  readonly runner: StatementRunner;
  readonly user: string;
  readonly secret: string;
  readonly baseSettings: Readonly<Record<string, string>>;
}

const maxSqlBytes = 16 * 1024 * 1024;
const formatPattern = /^[A-Za-z0-9]{1,64}$/;
const queryIdPattern = /^[A-Za-z0-9-]{1,64}$/;
const resultStatement =
  /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*(?:select|with|show|describe|desc|explain|exists|check|kill)\b/i;

/** Serves the subset of ClickHouse's HTTP interface described in docs/engine-protocol.md. */
export function createEngineServer(options: HttpOptions): Server {
  const expected = digest(`${options.user}\u0000${options.secret}`);
  const server = createServer({ maxHeaderSize: maxTargetBytes + 64 * 1024 }, (request, response) => {
    answer(request, response, options, expected).catch((caught: unknown) => {
      sendFailure(response, asFailure(caught));
    });
  });
  // Statements take as long as they take; the client sets deadlines, and it alone decides when to close a connection.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
  expected: Buffer,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://engine');
  if (url.pathname === '/ping') {
    response.end('Ok.\n');
    return;
  }
  if (
    !timingSafeEqual(
      digest(`${header(request, 'x-clickhouse-user')}\u0000${header(request, 'x-clickhouse-key')}`),
      expected,
    )
  ) {
    const code = engineCodes.authenticationFailed;
    throw new EngineFailure(`Code: ${code}. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)`, code);
  }
  if (url.pathname !== '/') throw badRequest(`There is no handle ${url.pathname}`);
  const statement = parseStatement(url, header(request, classHeader), await readBody(request), options.baseSettings);
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  const running = await options.runner.start(statement, abort.signal);
  await sendResult(response, statement, running.stream, running.outcome);
}

async function sendResult(
  response: ServerResponse,
  statement: StatementRequest,
  stream: NodeJS.ReadableStream,
  outcome: Promise<void>,
): Promise<void> {
  const tag = randomBytes(8).toString('hex');
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'x-clickhouse-query-id': statement.queryId,
      'x-clickhouse-format': statement.format ?? '',
      [exceptionTagHeader]: tag,
    });
  };
  stream.on('data', (chunk: Buffer) => {
    begin();
    if (response.write(chunk)) return;
    stream.pause();
    response.once('drain', () => stream.resume());
  });
  try {
    await outcome;
    begin();
    response.end();
  } catch (caught) {
    const failure = asFailure(caught);
    if (!response.headersSent) sendFailure(response, failure);
    else response.end(exceptionBlock(tag, failure.message));
  }
}

/** An exception after the first bytes of a result, framed as ClickHouse frames it. */
function exceptionBlock(tag: string, message: string): string {
  const text = `${message}\n`;
  return `\r\n${exceptionWord}\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n${exceptionWord}\r\n`;
}

function parseStatement(
  url: URL,
  wantedClass: string,
  body: string,
  baseSettings: Readonly<Record<string, string>>,
): StatementRequest {
  const parameters = url.searchParams;
  const sql = [parameters.get('query'), body].filter((part) => part !== null && part !== '').join('\n');
  if (sql === '')
    throw badRequest('The request has no statement, neither as query= nor as its body', engineCodes.syntaxError);
  const queryId = parameters.get('query_id') ?? randomUUID();
  if (!queryIdPattern.test(queryId)) throw badRequest('query_id may have letters, digits and dashes, at most 64');
  const settings = new Map(Object.entries(baseSettings));
  const params = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (reservedParameters.has(name)) continue;
    if (name.startsWith('param_')) params.set(name.slice('param_'.length), value);
    else settings.set(name, value);
  }
  // The id comes first, so that a KILL can find the statement by it.
  settings.set('log_comment', `${queryId} ${settings.get('log_comment') ?? ''}`);
  const format = parameters.get('default_format') ?? 'TabSeparated';
  if (!formatPattern.test(format)) throw badRequest(`${JSON.stringify(format)} cannot be the name of a format`);
  return {
    queryId,
    class: parseClass(wantedClass),
    sql,
    format: resultStatement.test(sql) ? format : undefined,
    state: { database: parameters.get('database') ?? 'default', settings, params },
    timeoutMs: parseTimeout(settings.get('max_execution_time')),
  };
}

function parseClass(text: string): StatementClass {
  if (text === 'insert' || text === 'control' || text === 'point' || text === 'scan') return text;
  if (text === '') return 'scan';
  throw badRequest(`${JSON.stringify(text)} is no class of statements: use insert, control, point or scan`);
}

function parseTimeout(seconds: string | undefined): number {
  const parsed = Number(seconds ?? '0');
  if (!Number.isFinite(parsed) || parsed < 0)
    throw badRequest(`max_execution_time must be seconds, not ${JSON.stringify(seconds)}`);
  // Timers hold 31 bits; longer is as good as never.
  return parsed > 2_000_000 ? 0 : Math.ceil(parsed * 1000);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxSqlBytes) throw badRequest(`The statement is longer than ${maxSqlBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendFailure(response: ServerResponse, failure: EngineFailure): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.writeHead(statusOf(failure.engineCode), {
    'content-type': 'text/plain; charset=UTF-8',
    ...(failure.engineCode === undefined ? {} : { [exceptionCodeHeader]: String(failure.engineCode) }),
  });
  response.end(`${failure.message}\n`);
}

function statusOf(engineCode: number | undefined): number {
  if (engineCode === engineCodes.authenticationFailed) return 403;
  if (engineCode === engineCodes.syntaxError || engineCode === engineCodes.unknownQueryParameter) return 400;
  return 500;
}

function badRequest(text: string, code = 36): EngineFailure {
  return new EngineFailure(
    `Code: ${code}. DB::Exception: ${text}. (${code === 36 ? 'BAD_ARGUMENTS' : 'SYNTAX_ERROR'})`,
    code,
  );
}

function asFailure(caught: unknown): EngineFailure {
  if (caught instanceof EngineFailure) return caught;
  return new EngineFailure(caught instanceof Error ? caught.message : String(caught), undefined, caught);
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
