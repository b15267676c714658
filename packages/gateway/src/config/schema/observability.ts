import { accessLogFields } from '../model/observability.ts';
import type {
  AccessLogConfig,
  AuditLogConfig,
  ErrorLogConfig,
  LoggingConfig,
  LogSink,
  MetricsConfig,
  ObservabilityConfig,
  TracingBackend,
  TracingConfig,
} from '../model/observability.ts';
import { httpUrl, socketAddress, urlPath } from '../table/address-type.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { headerPairs, switches, variant } from '../table/collections.ts';
import { child, optional, required, section, setting, tolerant } from '../table/field.ts';
import { bytes, decimal, flag, integer, oneOf, word } from '../table/value-type.ts';

const endpoint = (example: string) =>
  required('endpoint', httpUrl, { level: 'must', doc: 'where spans are sent', example: `endpoint "${example}"` });

const headers = headerPairs('headers', { doc: 'headers sent along, such as a token' });

const otlp: Block<TracingBackend> = block(
  {
    endpoint: endpoint('http://localhost:4317'),
    protocol: optional('protocol', oneOf(['grpc', 'http/protobuf', 'http/json']), {
      doc: 'without it gRPC, or HTTP when the port is 4318 or there is a path',
    }),
    headers,
  },
  {},
  (values) => ({ kind: 'otlp', ...values }),
);

const jaeger: Block<TracingBackend> = block(
  { endpoint: endpoint('http://localhost:14268/api/traces'), headers },
  {},
  (values) => ({ kind: 'jaeger', ...values }),
);

const zipkin: Block<TracingBackend> = block(
  { endpoint: endpoint('http://localhost:9411/api/v2/spans'), headers },
  {},
  (values) => ({ kind: 'zipkin', ...values }),
);

const share = decimal({ min: 0, max: 1 });

const tracing: Block<TracingConfig> = block(
  {
    enabled: setting('enabled', flag, { default: true, doc: 'whether spans are made' }),
    backend: variant(
      'backend',
      { variants: { otlp, jaeger, zipkin } },
      { level: 'must', doc: 'what spans are sent to; required' },
    ),
    samplingRate: setting('sampling-rate', share, {
      default: 0.01,
      level: 'must',
      doc: 'share of traces begun here that are kept',
    }),
    serviceName: setting('service-name', word, {
      default: 'zentinel',
      level: 'must',
      doc: 'service.name of the spans',
    }),
    spanName: setting('span-name', oneOf(['path', 'route']), {
      default: 'path',
      doc: 'what requests are named by besides their method; the pattern of a route where paths have ids in them',
    }),
    includeQuery: setting('include-query', flag, {
      default: false,
      level: 'may',
      doc: 'url.query of requests in their spans; queries may hold what is not for everyone',
    }),
  },
  {},
  ({ backend, ...rest }, node, reader) => {
    if (backend === undefined) {
      const help = 'add: backend "otlp" { endpoint "http://localhost:4317" }';
      return reader.error('missing', 'backend is missing', node.position, help);
    }
    return { position: node.position, backend, ...rest };
  },
);

const level = oneOf(['error', 'warn', 'info', 'debug', 'trace'], { aliases: { warning: 'warn' } });

const sinkFields = {
  file: optional('file', word, {
    doc: 'without it the default file if its folder can be written to, else standard output',
  }),
  bufferBytes: setting('buffer-size', bytes({ min: 1 }), { default: 8192, doc: 'gathered before it is written' }),
  maxWaitingBytes: setting('max-waiting-size', bytes({ min: 1 }), {
    default: 16777216,
    level: 'may',
    doc: 'lines that wait for a slow disk or pipe; beyond it they are lost and counted',
  }),
  enabled: setting('enabled', flag, { default: true, level: 'must', doc: 'whether it is written' }),
};

const logFolder = '/var/log/zentinel';

/** Where a log goes, with the file used when none is named. */
function withDefaultFile<T extends Omit<LogSink, 'defaultFile'>>(
  name: string,
): (values: T) => T & Pick<LogSink, 'defaultFile'> {
  return (values) => ({ ...values, defaultFile: `${logFolder}/${name}.log` });
}

const accessLog: Block<AccessLogConfig> = block(
  {
    ...sinkFields,
    format: setting(
      'format',
      oneOf(['json', 'combined'], {
        aliases: { clf: 'combined', common: 'combined' },
        unsupported: { custom: 'json' },
      }),
      {
        default: 'json',
        level: 'must',
        doc: 'form of a line',
      },
    ),
    includeTraceId: setting('include-trace-id', flag, {
      default: true,
      level: 'must',
      doc: 'trace id and span id in each line',
    }),
    sampleRate: setting('sample-rate', share, { default: 1, doc: 'share of lines written' }),
    sampleErrorsAlways: setting('sample-errors-always', flag, {
      default: true,
      doc: 'write lines with status 400 and more in any case',
    }),
    omittedFields: switches('fields', accessLogFields, { doc: 'fields switched off' }),
  },
  {},
  withDefaultFile('access'),
);

const errorLog: Block<ErrorLogConfig> = block(
  { ...sinkFields, level: setting('level', level, { default: 'warn', doc: 'least severe entry' }) },
  {},
  withDefaultFile('error'),
);

const auditLog: Block<AuditLogConfig> = block(
  {
    ...sinkFields,
    logBlocked: setting('log-blocked', flag, { default: true, doc: 'requests that were refused' }),
    logAgentDecisions: setting('log-agent-decisions', flag, { default: true, doc: 'what agents decided' }),
    logWafEvents: setting('log-waf-events', flag, { default: true, doc: 'rules that agents report' }),
  },
  {},
  withDefaultFile('audit'),
);

const logging: Block<LoggingConfig> = block({
  level: setting('level', level, { default: 'info', level: 'must', doc: 'least severe line of the application log' }),
  format: setting('format', oneOf(['json', 'pretty']), {
    default: 'json',
    level: 'must',
    doc: 'form of the application log',
  }),
  timestamps: setting('timestamps', flag, { default: true, doc: 'times in the application log' }),
  file: optional('file', word, { doc: 'file of the application log; without it standard error' }),
  accessLog: child('access-log', accessLog, {
    level: 'must',
    doc: 'one line for each request; without the block none',
  }),
  errorLog: section('error-log', errorLog, { doc: 'what went wrong with requests' }),
  auditLog: child('audit-log', auditLog, { doc: 'what was refused and why; without the block none' }),
});

const metrics: Block<MetricsConfig> = block(
  {
    enabled: setting('enabled', flag, { default: true, level: 'must', doc: 'whether metrics are served' }),
    address: setting('address', socketAddress, {
      default: '0.0.0.0:9090',
      level: 'must',
      doc: 'where metrics are served',
    }),
    path: setting('path', urlPath, { default: '/metrics', doc: 'path of the metrics' }),
    maxConnections: setting('max-connections', integer({ min: 1 }), {
      default: 256,
      level: 'may',
      doc: 'connections at once to where metrics are served; others are closed and counted',
    }),
  },
  { unsupported: { 'high-cardinality': 'labels with many values' } },
);

/** `observability`. */
export const observability: Block<ObservabilityConfig> = block({
  tracing: tolerant(
    child('tracing', tracing, { level: 'must', doc: 'spans; without the block trace headers pass through untouched' }),
  ),
  logging: section('logging', logging, { level: 'must', doc: 'logs' }),
  metrics: section('metrics', metrics, { level: 'must', doc: 'metrics, on a listener of their own' }),
});
