// Question: what do tracing and the access log cost a request of the gateway in CPU time?
//
// No sockets on the side of requests: finished exchanges, fresh ones with fresh texts each time, are driven through the real observer. Export
// goes over OTLP/gRPC to a collector in another process, or its bytes are thrown away. CPU time is that of this process with all its
// threads (collecting garbage, compiling); all kinds take turns in each round, medians count, and what is printed is the difference to the
// same requests with nothing on.
//
// Usage: npm run bench -- gateway-telemetry [--rounds=N] [--requests=N] [--json=FILE]
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { silentTelemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import type { AccessLogConfig } from '../../packages/gateway/src/config/model/observability.ts';
import { openBackend } from '../../packages/gateway/src/telemetry/exporter/backend.ts';
import type { SpanBackend } from '../../packages/gateway/src/telemetry/exporter/backend.ts';
import { exportTarget, spanQueueSettings } from '../../packages/gateway/src/telemetry/exporter/settings.ts';
import { SpanExporter } from '../../packages/gateway/src/telemetry/exporter/span-exporter.ts';
import { ExporterTelemetry } from '../../packages/gateway/src/telemetry/exporter/telemetry.ts';
import { GatewayTelemetry } from '../../packages/gateway/src/telemetry/gateway-telemetry.ts';
import { AccessLog } from '../../packages/gateway/src/telemetry/logs/access-log.ts';
import { FileSink, openPlace } from '../../packages/gateway/src/telemetry/logs/log-sink.ts';
import { EventFigures } from '../../packages/gateway/src/telemetry/metrics/event-figures.ts';
import { RequestFigures } from '../../packages/gateway/src/telemetry/metrics/request-figures.ts';
import { gatewayOrigin, thisProcess } from '../../packages/gateway/src/telemetry/spans/resource.ts';
import { SpanRecorder } from '../../packages/gateway/src/telemetry/spans/span-recorder.ts';
import { RatioTraceStarter } from '../../packages/gateway/src/telemetry/spans/trace-starter.ts';
import { WallClock } from '../../packages/gateway/src/telemetry/spans/wall-clock.ts';
import { endChildren, forked } from '../lib/child-processes.ts';
import { spreadOf } from '../lib/percentiles.ts';
import { request } from './requests.ts';
import type { RequestKind } from './requests.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    requests: { type: 'string', default: '19200' },
    json: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const requests = Number(options.requests);
/** Requests between two turns of the event loop. */
const TURN = 64;
/** Batches on their way beyond which requests wait, so that no span is dropped. */
const MAX_SENDING = 3;
/** Log beyond which requests wait, so that no line is. */
const MAX_WAITING_BYTES = 1e6;

const identity = thisProcess('bench');
const meter = new PrometheusMeter();
const telemetry = { logger: silentTelemetry.logger, meter };
const folder = mkdtempSync(join(tmpdir(), 'clew-bench-telemetry-'));

/** Knows how many batches are on their way. */
class Counted implements SpanBackend {
  readonly #backend: SpanBackend;
  readonly encode: SpanBackend['encode'];
  sending = 0;
  bytes = 0;
  #waiting: (() => void) | undefined;

  constructor(backend: SpanBackend) {
    this.#backend = backend;
    this.encode = (request) => backend.encode(request);
  }

  async send(body: Uint8Array, signal: AbortSignal): ReturnType<SpanBackend['send']> {
    this.sending++;
    this.bytes += body.length;
    try {
      return await this.#backend.send(body, signal);
    } finally {
      this.sending--;
      this.#waiting?.();
      this.#waiting = undefined;
    }
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  async below(limit: number): Promise<void> {
    while (this.sending >= limit) await new Promise<void>((resolve) => (this.#waiting = resolve));
  }
}

const logFile = join(folder, 'access.log');
const accessLogConfig: AccessLogConfig = {
  enabled: true,
  format: 'json',
  includeTraceId: true,
  sampleRate: 1,
  sampleErrorsAlways: true,
  omittedFields: [],
  file: logFile,
  defaultFile: '',
  bufferBytes: 8192,
  maxWaitingBytes: 16 * 1024 * 1024,
};

/** One way of observing, ready to be driven. */
interface Kind extends RequestKind {
  readonly name: string;
  readonly backend: Counted | undefined;
  readonly exporter: SpanExporter | undefined;
  readonly sink: FileSink | undefined;
}

interface KindSettings {
  readonly backend?: SpanBackend;
  readonly accessLog?: boolean;
  readonly continued?: boolean;
}

function kindOf(name: string, { backend, accessLog = false, continued = false }: KindSettings): Kind {
  const observer = new GatewayTelemetry(telemetry, new RequestFigures(), new EventFigures(meter));
  const counted = backend && new Counted(backend);
  const exporter =
    counted &&
    new SpanExporter(
      counted,
      spanQueueSettings({}),
      new ExporterTelemetry(telemetry),
      gatewayOrigin('shop-gateway', identity),
    );
  const lost = (lines: number): never => {
    throw new Error(`${lines} lines were lost`);
  };
  const sink = accessLog
    ? new FileSink(openPlace('access log', accessLogConfig, telemetry.logger), accessLogConfig, {
        logger: telemetry.logger,
        lost,
      })
    : undefined;
  observer.replaceOutputs({
    spans: exporter && new SpanRecorder(exporter, new WallClock(), { serviceName: 'shop-gateway', spanName: 'path' }),
    accessLog: sink && new AccessLog(accessLogConfig, sink, identity.instanceId),
    errorLog: undefined,
    auditLog: undefined,
  });
  const starter = exporter && new RatioTraceStarter(1);
  return { name, observer, starter, continued, backend: counted, exporter, sink };
}

function grpcTo(port: number): SpanBackend {
  const target = exportTarget({ kind: 'otlp', endpoint: `http://127.0.0.1:${port}`, headers: [] }, {});
  return openBackend(target, {
    exportTimeoutMs: 30_000,
    userAgent: 'clew-gateway/bench',
    onRetry: ({ error }) => {
      throw error;
    },
  });
}

const discarding: SpanBackend = {
  encode: (request) => request,
  send: async () => ({ rejected: 0, repeated: false }),
  close: async () => undefined,
};

let seen = 0;

/** CPU microseconds per request. */
async function measure(kind: Kind): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < requests; done += TURN) {
    for (let i = 0; i < TURN; i++) seen += request(kind);
    await new Promise<void>((resolve) => setImmediate(resolve));
    await kind.backend?.below(MAX_SENDING);
    while (kind.sink !== undefined && kind.sink.line.length > MAX_WAITING_BYTES) await sleep(1);
  }
  await kind.backend?.below(1);
  const { user, system } = process.cpuUsage(before);
  if (kind.sink !== undefined) truncateSync(logFile);
  return (user + system) / requests;
}

const { said: port } = await forked<number>(new URL('./collector.ts', import.meta.url));

const kinds: readonly Kind[] = [
  kindOf('nothing on', {}),
  kindOf('tracing 100 %, bytes thrown away', { backend: discarding }),
  kindOf('tracing 100 %, OTLP/gRPC', { backend: grpcTo(port) }),
  kindOf('tracing 100 % of continued traces, OTLP/gRPC', { backend: grpcTo(port), continued: true }),
  kindOf('access log', { accessLog: true }),
  kindOf('tracing 100 %, OTLP/gRPC, and access log', { backend: grpcTo(port), accessLog: true }),
];

const figures = kinds.map((): number[] => []);
for (const kind of kinds) await measure(kind);
for (let round = 0; round < rounds; round++) {
  for (const [at, kind] of kinds.entries()) figures[at]!.push((await measure(kind)) * 1000);
}
const lostSpans = (await meter.collect()).find(({ name }) => name === 'otel_exporter_spans_failed_total');
if (lostSpans?.samples.some(({ value }) => value > 0)) throw new Error('spans were lost: the figures are void');
const idle = spreadOf(figures[0]!).median;
const rows = kinds.map(({ name, backend }, at) => {
  const { median, min, max } = spreadOf(figures[at]!);
  const spanBytes = backend && Math.round(backend.bytes / (requests * (rounds + 1) * 2));
  return {
    name,
    'CPU ns/request': Math.round(median),
    fastest: Math.round(min),
    slowest: Math.round(max),
    'more than nothing on': Math.round(median - idle),
    'bytes/span': spanBytes ?? '',
  };
});
console.table(rows);
if (seen === 0) throw new Error('nothing was measured');
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify({ node: process.version, rows }, undefined, 2)}\n`);
for (const { exporter, sink } of kinds) {
  await exporter?.stop(AbortSignal.timeout(5000));
  await sink?.close();
}
await endChildren();
rmSync(folder, { recursive: true });
process.exit(0);
