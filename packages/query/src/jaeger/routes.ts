import { errorMessage } from '@clew/base';
import { SpanBatch } from '@clew/model';
import { decodeTracesJson } from '@clew/wire/otlp';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { guarded } from '../server/guard.ts';
import type { Answer } from '../server/guard.ts';
import { parseGoInt } from './go-text.ts';
import { jaegerDocuments } from './documents.ts';
import { queryOf, sendData, sendFailure, sendStoreFailure } from './reply.ts';
import { microseconds, parseRaw, parseSearchParams, readJaegerTraceId } from './search-params.ts';
import type { JaegerSource } from './source.ts';
import { jaegerTrace, transformedTraces } from './traces.ts';
import type { TraceOptions } from './traces.ts';

/** Settings of the Jaeger face. */
export interface JaegerOptions {
  readonly maxClockSkewNano: bigint;
  readonly maxTraceSpans: number;
}

const kindWords = ['', 'internal', 'server', 'client', 'producer', 'consumer'];
const dayMs = 86_400_000n;

/** Jaeger's query API (`/api/*` of port 16686), for its UI, Grafana's data source and scripts. */
export function jaegerRoutes(app: FastifyInstance, source: JaegerSource, options: JaegerOptions): void {
  const get = (path: string, document: keyof typeof jaegerDocuments, answer: Answer) =>
    app.get(path, jaegerDocuments[document], (request, reply) => guarded(request, reply, answer, sendStoreFailure));

  get('/api/services', 'services', async (request, reply, signal) => {
    const services = await source.services(signal);
    return sendData(request, reply, services, { total: services.length });
  });
  get('/api/services/:service/operations', 'serviceOperations', async (request, reply, signal) => {
    const { service } = request.params as { service: string };
    const names = new Set((await source.operations(unescapeQuery(service), signal)).map(({ name }) => name));
    return sendData(request, reply, names.size === 0 ? null : [...names].sort(), { total: names.size });
  });
  get('/api/operations', 'operations', (request, reply, signal) => operations(source, request, reply, signal));
  get('/api/traces', 'search', (request, reply, signal) => search(source, options, request, reply, signal));
  get('/api/traces/:traceId', 'trace', (request, reply, signal) => trace(source, options, request, reply, signal));
  get('/api/dependencies', 'dependencies', (request, reply, signal) => dependencies(source, request, reply, signal));
  transformRoute(app);
  app.post('/api/archive/:traceId', (_request, reply) =>
    sendFailure(reply, 500, 'archive span storage was not configured'),
  );
  for (const path of ['latencies', 'calls', 'errors', 'minstep']) {
    app.get(`/api/metrics/${path}`, (_request, reply) =>
      sendFailure(reply, 501, 'metrics querying is currently disabled'),
    );
  }
}

async function operations(source: JaegerSource, request: FastifyRequest, reply: FastifyReply, signal: AbortSignal) {
  const query = queryOf(request);
  const service = query.get('service') ?? '';
  if (service === '') return sendFailure(reply, 400, "parameter 'service' is required");
  const wanted = query.get('spanKind') ?? '';
  const found = (await source.operations(service, signal))
    .map(({ name, kind }) => ({ name, spanKind: kindWords[kind] ?? '' }))
    .filter(({ spanKind }) => wanted === '' || spanKind === wanted);
  return sendData(request, reply, found, { total: found.length });
}

async function search(
  source: JaegerSource,
  options: JaegerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
) {
  const query = queryOf(request);
  const params = parseSearchParams(query, BigInt(Date.now()) * 1_000_000n);
  if (!params.ok) return sendFailure(reply, 400, params.error);
  const shown = traceOptions(options, query, params.value.raw);
  if (params.value.traceIds.length === 0) {
    const batches = await source.search(params.value, signal);
    return sendData(
      request,
      reply,
      batches.map((batch) => jaegerTrace(batch, shown)),
    );
  }
  const ids = [...new Set(params.value.traceIds)];
  const found = await source.traces(ids, signal);
  const missing = ids
    .filter((id) => !found.has(id))
    .map((traceID) => ({ msg: 'trace not found', traceID: shortId(traceID) }));
  const data = ids.flatMap((id) => {
    const batch = found.get(id);
    return batch === undefined ? [] : [jaegerTrace(batch, shown)];
  });
  return sendData(request, reply, data, { errors: missing.length === 0 ? null : missing });
}

async function trace(
  source: JaegerSource,
  options: JaegerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
) {
  const { traceId } = request.params as { traceId: string };
  const id = readJaegerTraceId(traceId);
  if (!id.ok) return sendFailure(reply, 400, id.error);
  const query = queryOf(request);
  // The hints are read so that a wrong one is told; an indexed store does not need them.
  for (const name of ['start', 'end']) {
    const hint = microseconds(query, name, 0n);
    if (!hint.ok) return sendFailure(reply, 400, hint.error);
  }
  const raw = parseRaw(query);
  if (!raw.ok) return sendFailure(reply, 400, raw.error);
  const batch = (await source.traces([id.value], signal)).get(id.value);
  if (batch === undefined) return sendFailure(reply, 404, 'trace not found');
  return sendData(request, reply, [jaegerTrace(batch, traceOptions(options, query, raw.value))]);
}

async function dependencies(source: JaegerSource, request: FastifyRequest, reply: FastifyReply, signal: AbortSignal) {
  const query = queryOf(request);
  const endMs = milliseconds(query, 'endTs', BigInt(Date.now()));
  if (!endMs.ok) return sendFailure(reply, 400, endMs.error);
  const lookbackMs = milliseconds(query, 'lookback', dayMs);
  if (!lookbackMs.ok) return sendFailure(reply, 400, lookbackMs.error);
  const service = query.get('service') ?? '';
  const end = endMs.value * 1_000_000n;
  const edges = await source.dependencies(end - lookbackMs.value * 1_000_000n, end, signal);
  const kept = edges.filter(({ parent, child }) => service === '' || parent === service || child === service);
  return sendData(request, reply, kept);
}

function transformRoute(app: FastifyInstance): void {
  void app.register((scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.post('/api/transform', jaegerDocuments.transform, (request, reply) => {
      const batch = new SpanBatch();
      try {
        decodeTracesJson((request.body as Buffer | undefined) ?? new Uint8Array(0), batch);
      } catch (caught) {
        return sendFailure(reply, 400, `cannot unmarshal OTLP : ${errorMessage(caught)}`);
      }
      return sendData(request, reply, transformedTraces(batch));
    });
    return Promise.resolve();
  });
}

function traceOptions(options: JaegerOptions, query: URLSearchParams, raw: boolean): TraceOptions {
  return { ...options, raw, strict: query.get('strict') === 'true' };
}

function milliseconds(query: URLSearchParams, name: string, missing: bigint) {
  const text = query.get(name);
  if (text === null || text === '') return { ok: true, value: missing } as const;
  const parsed = parseGoInt(text);
  return parsed.ok ? parsed : ({ ok: false, error: `unable to parse param '${name}': ${parsed.error}` } as const);
}

/** Jaeger decodes a service in a path once more as a query-escaped text: `+` is a space. Text that is none stays. */
function unescapeQuery(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text; // A lone percent sign was meant as one.
  }
}

function shortId(id: string): string {
  return id.startsWith('0000000000000000') ? id.slice(16) : id;
}
