// A program as its author would write it, with the unmodified OpenTelemetry Node SDK and its HTTP and Express
// instrumentation. Only its OTEL_* environment says where and how it exports.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { startProcess, until } from './support/clew.ts';
import { awaitTrace, jaegerData, tagOf } from './support/jaeger.ts';
import type { JaegerSpan, JaegerTrace } from './support/jaeger.ts';

const client = fileURLToPath(new URL('clients/express-app.cjs', import.meta.url));
/** One request: CLIENT, SERVER, two middlewares, handler, internal, CLIENT, and the inner SERVER with its two and handler. */
const leastSpans = 11;

const ways = ['grpc', 'http/protobuf', 'http/json'].flatMap((protocol) =>
  ['none', 'gzip'].map((compression) => ({ protocol, compression })),
);

describe('an unmodified Node program', () => {
  let clew: LaunchedClew;

  beforeAll(async () => {
    clew = await launchClew();
  });
  afterAll(() => clew.close());

  describe.each(ways)('exporting by $protocol, compression $compression', ({ protocol, compression }) => {
    const service = `shop ${protocol} ${compression}`;
    let fine: JaegerTrace;
    let failed: JaegerTrace;

    beforeAll(async () => {
      const port = protocol === 'grpc' ? clew.ports.grpc : clew.ports.http;
      const run = startProcess(process.execPath, [client], {
        env: {
          OTEL_SERVICE_NAME: service,
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
          OTEL_EXPORTER_OTLP_COMPRESSION: compression,
          OTEL_TRACES_EXPORTER: 'otlp',
          OTEL_METRICS_EXPORTER: 'none',
          OTEL_LOGS_EXPORTER: 'none',
          OTEL_SEMCONV_STABILITY_OPT_IN: 'http',
          OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        },
      });
      const { code, stdout, stderr } = await run.ended;
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const [first, second] = JSON.parse(stdout) as [string, string];
      fine = await awaitTrace(clew, first, leastSpans);
      failed = await awaitTrace(clew, second, leastSpans);
    });

    it('is listed, and both of its traces are found by service', async () => {
      await until('the service in the list', async () =>
        (await jaegerData<string[]>(clew, '/api/services')).includes(service) ? true : undefined,
      );
      const found = await until('both traces in a search', async () => {
        const query = `/api/traces?service=${encodeURIComponent(service)}&limit=20`;
        const traces = await jaegerData<JaegerTrace[]>(clew, query);
        return traces.length >= 2 ? traces : undefined;
      });
      expect(found.map((trace) => trace.traceID).sort()).toEqual([fine.traceID, failed.traceID].sort());
    });

    it('is found by a tag it set and by duration, and not by a tag it did not set', async () => {
      const search = (query: string) =>
        jaegerData<JaegerTrace[]>(clew, `/api/traces?service=${encodeURIComponent(service)}&${query}`);
      const idsOf = async (query: string) => (await search(query)).map((trace) => trace.traceID);
      expect(await idsOf(`tags=${encodeURIComponent('{"user.id":"13"}')}`)).toEqual([failed.traceID]);
      expect(await idsOf(`tags=${encodeURIComponent('{"user.id":"14"}')}`)).toEqual([]);
      expect(await idsOf('minDuration=1h')).toEqual([]);
      expect(await idsOf('tag=error:true')).toEqual([failed.traceID]);
    });

    it('keeps the chain of parents from the incoming request to the inner one', () => {
      const inner = byName(fine, 'GET /internal/profile');
      const chain: string[] = [];
      for (let span: JaegerSpan | undefined = inner; span !== undefined; span = parentOf(fine, span)) {
        chain.push(`${String(tagOf(span.tags, 'span.kind'))} ${span.operationName}`);
      }
      expect(chain).toEqual([
        'server GET /internal/profile',
        'client GET',
        'internal load user',
        'internal request handler - /api/users/:id',
        'server GET /api/users/:id',
        'client GET',
      ]);
      const middleware = fine.spans.filter((span) => span.operationName.startsWith('middleware'));
      expect(middleware.length).toBeGreaterThan(0);
      for (const span of middleware) expect(tagOf(parentOf(fine, span)?.tags ?? [], 'span.kind')).toBe('server');
    });

    it('keeps tags of every type, events and the resource', () => {
      const span = byName(fine, 'load user');
      expect(tagOf(span.tags, 'user.roles')).toBe('["admin","käufer"]');
      expect(tagOf(span.tags, 'cache.hit')).toBe(false);
      expect(tagOf(span.tags, 'user.score')).toBe(0.75);
      expect(tagOf(span.tags, 'user.visits')).toBe(9007199254740991);
      expect(tagOf(span.tags, 'otel.scope.name')).toBe('user-service');
      const [miss] = span.logs;
      expect(tagOf(miss?.fields ?? [], 'event')).toBe('cache.miss');
      expect(tagOf(miss?.fields ?? [], 'cache.key')).toBe('user:42');
      const process = fine.processes[span.processID];
      expect(process?.serviceName).toBe(service);
      expect(tagOf(process?.tags ?? [], 'deployment.environment.name')).toBe('test');
      expect(tagOf(process?.tags ?? [], 'telemetry.sdk.language')).toBe('nodejs');
    });

    it('shows the error with its exception', () => {
      const span = byName(failed, 'load user');
      expect(tagOf(span.tags, 'error')).toBe(true);
      expect(tagOf(span.tags, 'otel.status_description')).toBe('no such user');
      const exception = span.logs.find(({ fields }) => tagOf(fields, 'event') === 'exception');
      expect(tagOf(exception?.fields ?? [], 'exception.message')).toBe('no such user');
      expect(tagOf(exception?.fields ?? [], 'exception.stacktrace')).toContain('express-app.cjs');
      expect(tagOf(byName(failed, 'GET /api/users/:id').tags, 'http.response.status_code')).toBe(500);
    });
  });
});

function byName(trace: JaegerTrace, name: string): JaegerSpan {
  const [span, another] = trace.spans.filter(({ operationName }) => operationName === name);
  if (span === undefined || another !== undefined) {
    throw new Error(`not one "${name}" among ${trace.spans.map((one) => one.operationName).join(', ')}`);
  }
  return span;
}

function parentOf(trace: JaegerTrace, span: JaegerSpan): JaegerSpan | undefined {
  const reference = span.references.find(({ refType }) => refType === 'CHILD_OF');
  return trace.spans.find(({ spanID }) => spanID === reference?.spanID);
}
