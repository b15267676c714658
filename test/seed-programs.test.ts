// Programs as they were written before OpenTelemetry, with their unmodified packages: jaeger-client, zipkin-js, and the
// OpenTelemetry SDK with its Jaeger exporter. Nothing but addresses says that Clew is where Jaeger and Zipkin stood.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { exited, startProcess, until } from './support/clew.ts';
import { awaitTrace, jaegerData, tagOf } from './support/jaeger.ts';
import type { JaegerSpan, JaegerTrace } from './support/jaeger.ts';

const program = (name: string) => fileURLToPath(new URL(`clients/${name}/app.cjs`, import.meta.url));

let clew: LaunchedClew;
beforeAll(async () => {
  clew = await launchClew();
});
afterAll(() => clew.close());

/** Runs a program to its end; it prints the ids of its traces. */
async function traceIdsOf(name: string, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { code, stdout, stderr } = await startProcess(process.execPath, [program(name)], { env }).ended;
  expect({ code, stderr: withoutWarnings(stderr) }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as string[];
}

/** What old packages print about themselves on a new Node. */
function withoutWarnings(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !/DeprecationWarning|trace-deprecation|^$/.test(line))
    .join('\n');
}

const spansOf = (trace: JaegerTrace, service: string) =>
  trace.spans.filter((span) => trace.processes[span.processID]?.serviceName === service);

function parentOf(trace: JaegerTrace, span: JaegerSpan): JaegerSpan | undefined {
  const parent = span.references.find(({ refType }) => refType === 'CHILD_OF')?.spanID;
  return trace.spans.find(({ spanID }) => spanID === parent);
}

const named = (trace: JaegerTrace, name: string): JaegerSpan => {
  const found = trace.spans.find(({ operationName }) => operationName === name);
  if (found === undefined)
    throw new Error(`no span ${name} among ${trace.spans.map((s) => s.operationName).join(', ')}`);
  return found;
};

/** What the query script of that time does: asks for a service's traces and keeps the slow ones, slowest first. */
async function findSlowTraces(service: string, minDurationMs: number) {
  type Timed = JaegerTrace & { readonly duration: number };
  const traces = await jaegerData<Timed[]>(clew, `/api/traces?service=${encodeURIComponent(service)}&limit=100`);
  return traces.filter((trace) => trace.duration > minDurationMs * 1000).sort((a, b) => b.duration - a.duration);
}

const jaegerWays = [
  {
    way: 'datagrams to the port of compact Thrift',
    env: () => ({ JAEGER_AGENT_PORT: String(clew.ports.jaegerCompact) }),
  },
  {
    way: 'datagrams to the port of binary Thrift',
    env: () => ({ JAEGER_AGENT_PORT: String(clew.ports.jaegerBinary) }),
  },
  { way: 'HTTP', env: () => ({ JAEGER_ENDPOINT: `http://127.0.0.1:${clew.ports.jaegerHttp}/api/traces` }) },
];

describe.each(jaegerWays)('jaeger-client with Express middleware, sending by $way', ({ way, env }) => {
  const prefix = `${way.replaceAll(/\W+/g, '-')}.`;
  let traces: readonly JaegerTrace[];

  beforeAll(async () => {
    const ids = await traceIdsOf('jaeger-express', {
      JAEGER_AGENT_HOST: '127.0.0.1',
      SERVICE_PREFIX: prefix,
      ...env(),
    });
    traces = await Promise.all(ids.map((id) => awaitTrace(clew, id.padStart(16, '0'), 3)));
  });

  it('shows the request, the work in it and the call to the other service, each under the other', () => {
    const [fine] = traces as [JaegerTrace];
    expect(fine.spans).toHaveLength(3);
    const server = named(fine, '/api/users/42');
    const work = named(fine, 'fetch-user');
    const called = named(fine, '/payments');
    expect(server.references).toEqual([]);
    expect(parentOf(fine, work)).toBe(server);
    expect(parentOf(fine, called)).toBe(work);
    expect(spansOf(fine, `${prefix}api-service`)).toHaveLength(2);
    expect(spansOf(fine, `${prefix}payment-service`)).toEqual([called]);
  });

  it('keeps tags with their types, the process and the sampler', () => {
    const [fine] = traces as [JaegerTrace];
    const server = named(fine, '/api/users/42');
    expect(tagOf(server.tags, 'span.kind')).toBe('server');
    expect(tagOf(server.tags, 'http.method')).toBe('GET');
    expect(tagOf(server.tags, 'http.url')).toBe('/api/users/42');
    expect(server.tags.find(({ key }) => key === 'http.status_code')).toEqual({
      key: 'http.status_code',
      type: 'float64',
      value: 200,
    });
    expect(tagOf(server.tags, 'sampler.type')).toBe('const');
    expect(tagOf(server.tags, 'sampler.param')).toBe(true);
    expect(tagOf(named(fine, 'fetch-user').tags, 'big')).toBe(9007199254740991);
    expect(tagOf(named(fine, 'fetch-user').tags, 'downstream.success')).toBe(true);
    const process = fine.processes[server.processID];
    expect(tagOf(process?.tags ?? [], 'jaeger.version')).toMatch(/^Node-/);
    expect(tagOf(process?.tags ?? [], 'hostname')).toBeTypeOf('string');
  });

  it('shows the error with its log, and what was asked to be debugged', () => {
    const [, failed] = traces as [JaegerTrace, JaegerTrace];
    const work = named(failed, 'fetch-user');
    expect(tagOf(work.tags, 'error')).toBe(true);
    expect(work.logs).toHaveLength(1);
    expect(tagOf(work.logs[0]!.fields, 'event')).toBe('error');
    expect(tagOf(work.logs[0]!.fields, 'message')).toContain('500');
    const server = named(failed, '/api/users/13');
    expect(tagOf(server.tags, 'jaeger-debug-id')).toBe('case-13');
    expect((server as JaegerSpan & { flags?: number }).flags).toBe(3);
  });

  it('is found by service, by tag in any spelling of its value, by error, and the slow one first by the script', async () => {
    const service = `${prefix}api-service`;
    const idsOf = async (query: string) => {
      const found = await jaegerData<JaegerTrace[]>(
        clew,
        `/api/traces?service=${encodeURIComponent(service)}&${query}`,
      );
      return found.map(({ traceID }) => traceID).sort();
    };
    const [fine, failed, slow] = traces as [JaegerTrace, JaegerTrace, JaegerTrace];
    await until('all three in a search', async () => ((await idsOf('limit=20')).length === 3 ? true : undefined));
    for (const value of ['500', '500.0']) {
      const tags = encodeURIComponent(JSON.stringify({ 'http.status_code': value }));
      expect(await idsOf(`tags=${tags}`)).toEqual([failed.traceID]);
    }
    expect(await idsOf('tag=error:true')).toEqual([failed.traceID]);
    expect(await idsOf(`tags=${encodeURIComponent('{"user.id":"42"}')}`)).toEqual([fine.traceID]);
    const found = await findSlowTraces(service, 1000);
    expect(found.map(({ traceID }) => traceID)).toEqual([slow.traceID]);
    expect((await findSlowTraces(service, 0)).map(({ traceID }) => traceID)[0]).toBe(slow.traceID);
  });
});

describe.each([{ encoding: 'v1' }, { encoding: 'v2' }])(
  'zipkin-js with Express, sending $encoding to the path of v2',
  ({ encoding }) => {
    const prefix = `${encoding}-`;
    let traces: readonly JaegerTrace[];

    beforeAll(async () => {
      const run = startProcess(process.execPath, [program('zipkin-express')], {
        env: {
          SERVICE_PREFIX: prefix,
          ZIPKIN_ENCODING: encoding,
          ZIPKIN_ENDPOINT: `http://127.0.0.1:${clew.ports.zipkin}/api/v2/spans`,
        },
      });
      try {
        const line = await until('the ids of its traces', () =>
          Promise.resolve(run.output.stdout.includes('\n') ? run.output.stdout : undefined),
        );
        const ids = JSON.parse(line) as string[];
        traces = await Promise.all(ids.map((id) => awaitTrace(clew, id, 3)));
      } finally {
        run.process.kill('SIGTERM');
        await exited(run.process);
      }
    });

    it('shows the two halves of the call apart although they share one id', () => {
      const [fine] = traces as [JaegerTrace];
      expect(fine.spans).toHaveLength(3);
      const server = fine.spans.find(({ references }) => references.length === 0)!;
      expect(server.operationName).toBe('get /api/users/:id');
      const client = spansOf(fine, `${prefix}api-service`).find((span) => span !== server)!;
      const [called] = spansOf(fine, `${prefix}payment-service`) as [JaegerSpan];
      expect(parentOf(fine, client)).toBe(server);
      expect(parentOf(fine, called)).toBe(client);
      expect([client, called, server].map(({ tags }) => tagOf(tags, 'span.kind'))).toEqual([
        'client',
        'server',
        'server',
      ]);
      expect(new Set(fine.spans.map(({ spanID }) => spanID)).size).toBe(3);
    });

    it('keeps tags, annotations, the peer, and the error with its text', () => {
      const [fine, failed] = traces as [JaegerTrace, JaegerTrace];
      const server = fine.spans.find(({ references }) => references.length === 0)!;
      expect(tagOf(server.tags, 'http.path')).toBe('/api/users/42');
      expect(tagOf(server.tags, 'user.id')).toBe('42');
      expect(server.logs.flatMap(({ fields }) => fields.map(({ value }) => value))).toContain('cache.miss');
      const broken = failed.spans.find(({ references }) => references.length === 0)!;
      expect(tagOf(broken.tags, 'error')).toBe('500');
      expect(tagOf(broken.tags, 'otel.status_description')).toBe('500');
      expect(tagOf(broken.tags, 'http.status_code')).toBe('500');
    });
  },
);

const exporterWays = [
  { way: 'http', env: () => ({ JAEGER_ENDPOINT: `http://127.0.0.1:${clew.ports.jaegerHttp}/api/traces` }) },
  { way: 'udp', env: () => ({ JAEGER_UDP_PORT: String(clew.ports.jaegerBinary) }) },
];

describe.each(exporterWays)('the OpenTelemetry SDK 1.x with its Jaeger exporter over $way', ({ way, env }) => {
  const service = `users-${way}`;
  let traces: readonly JaegerTrace[];

  beforeAll(async () => {
    const ids = await traceIdsOf('otel-1', { SERVICE_NAME: service, ...env() });
    traces = await Promise.all(ids.map((id) => awaitTrace(clew, id, 5)));
  });

  it('shows the request with its middleware, handler and own span', () => {
    const [fine] = traces as [JaegerTrace];
    const own = named(fine, 'get_users');
    const server = fine.spans.find(({ tags }) => tagOf(tags, 'span.kind') === 'server')!;
    expect(server.operationName).toBe('GET /api/users');
    const chain = [];
    for (let span: JaegerSpan | undefined = own; span !== undefined; span = parentOf(fine, span)) chain.push(span);
    expect(chain).toContain(server);
    expect(tagOf(own.tags, 'user.count')).toBe(2);
    expect(tagOf(own.tags, 'user.roles')).toBe('admin,guest');
    expect(fine.processes[own.processID]?.serviceName).toBe(service);
  });

  it('shows the error with its exception and status', () => {
    const [, failed] = traces as [JaegerTrace, JaegerTrace];
    const own = named(failed, 'get_users');
    expect(tagOf(own.tags, 'error')).toBe(true);
    expect(tagOf(own.tags, 'otel.status_code')).toBe('ERROR');
    expect(tagOf(own.tags, 'otel.status_description')).toBe('database is gone');
    const exception = own.logs.find(({ fields }) => tagOf(fields, 'exception.message') === 'database is gone');
    expect(exception).toBeDefined();
  });
});
