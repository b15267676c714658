import { fail, ok } from '@clew/base';
import type { KdlNode } from '../../kdl/node.ts';
import type { Named } from '../model/named.ts';
import type {
  BuiltinHandler,
  HeaderEdits,
  HostCondition,
  PathCondition,
  PoliciesConfig,
  RetryPolicyConfig,
  RouteConditions,
  RouteConfig,
  ServiceType,
  StaticFilesConfig,
  ValueCondition,
} from '../model/route.ts';
import type { RateConfig } from '../model/system.ts';
import { headerName, httpMethod, pattern, urlPath } from '../table/address-type.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { child, children, list, optional, required, section, setting } from '../table/field.ts';
import { invalid } from '../table/reader.ts';
import type { Invalid, Reader } from '../table/reader.ts';
import { bytes, duration, flag, integer, oneOf, refine, text, word } from '../table/value-type.ts';
import type { ValueType } from '../table/value-type.ts';
import { failureMode } from './agent.ts';
import { reference } from './reference.ts';
import type { Reference } from './reference.ts';
import { headerEditFields, rateLimitKey, statusCode, toHeaderEdits } from './shared.ts';
import { burstSize, requestRate } from './system.ts';

/** Words for priorities; routes of the lowest two need no conditions. */
const priorityWords: Readonly<Record<string, number>> = {
  background: 1,
  low: 10,
  normal: 50,
  high: 100,
  critical: 1000,
};
const catchAllPriority = 10;

const priority: ValueType<number> = {
  label: 'a 32-bit whole number, or "background", "low", "normal", "high" or "critical"',
  read(value) {
    const { value: written } = value;
    if (typeof written === 'string' && Object.hasOwn(priorityWords, written.toLowerCase())) {
      return ok({ value: priorityWords[written.toLowerCase()]! });
    }
    return integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).read(value);
  },
};

const host: ValueType<HostCondition> = refine(
  word,
  'a host such as "example.com", "*.example.com" or a regular expression',
  (written) => {
    const lower = written.toLowerCase();
    if (/^\[[0-9a-f:.]+\]$/.test(lower) || /^[^*[\]:/\s]+$/.test(lower)) return ok({ kind: 'exact', value: lower });
    if (/^\*\.[^*[\]:/\s]+$/.test(lower)) return ok({ kind: 'wildcard', value: lower });
    if (/^[^*[\]/\s]+:\d+$/.test(lower)) return fail('hosts are compared without their port');
    return hostRegex(written);
  },
);

function hostRegex(written: string) {
  const compiled = pattern.read({ value: written, text: '', quoted: true, position: { file: '', line: 0, column: 0 } });
  return compiled.ok ? ok<HostCondition>({ kind: 'regex', value: written }) : compiled;
}

const header: Block<ValueCondition> = block(
  {
    name: required('name', headerName, { doc: 'its name, in any case', example: 'header "X-Version" "2"' }),
    value: optional('value', text, { doc: 'its exact value; without it presence is enough' }),
  },
  { positional: ['name', 'value'] },
  ({ name, ...rest }) => ({ name: name.toLowerCase(), ...rest }),
);

const queryParam: Block<ValueCondition> = block(
  {
    name: required('name', word, { doc: 'its name', example: 'query-param "format" "json"' }),
    value: optional('value', text, { doc: 'its exact value; without it presence is enough' }),
  },
  { positional: ['name', 'value'] },
);

const matches: Block<RouteConditions> = block(
  {
    path: list('path', urlPath, { level: 'must', doc: 'the whole path' }),
    pathPrefix: list('path-prefix', urlPath, {
      level: 'must',
      doc: 'the beginning of the path, up to a / or the end; with a / at its end any beginning',
    }),
    pathRegex: list('path-regex', pattern, { doc: 'a pattern found anywhere in the path' }),
    host: list('host', host, { doc: 'the host: exact, *.name, or a pattern' }),
    hostRegex: list('host-regex', pattern, { doc: 'a pattern found anywhere in the host' }),
    methods: list('method', httpMethod, { doc: 'the method' }),
    headers: children('header', header, { doc: 'a header; repeatable' }),
    query: children('query-param', queryParam, { doc: 'a parameter of the query; repeatable' }),
  },
  { noun: 'condition' },
  ({ path, pathPrefix, pathRegex, host: hosts, hostRegex: hostPatterns, ...rest }) => ({
    paths: [
      ...path.map((value): PathCondition => ({ kind: 'exact', value })),
      ...pathPrefix.map((value): PathCondition => ({ kind: 'prefix', value })),
      ...pathRegex.map((value): PathCondition => ({ kind: 'regex', value })),
    ],
    hosts: [...hosts, ...hostPatterns.map((value): HostCondition => ({ kind: 'regex', value }))],
    ...rest,
  }),
);

const headerEdits: Block<HeaderEdits> = block(headerEditFields, {}, toHeaderEdits);

const routeRate: Block<RateConfig> = block({
  requestsPerSecond: required('requests-per-second', requestRate, {
    doc: 'requests a second',
    example: 'requests-per-second 100',
  }),
  burst: setting('burst', burstSize, { default: 10, doc: 'requests at once' }),
  key: setting('key', rateLimitKey, { default: 'client-ip', doc: 'what requests are told apart by' }),
});

const policies: Block<PoliciesConfig> = block({
  requestHeaders: section('request-headers', headerEdits, { doc: 'changes to headers of requests' }),
  responseHeaders: section('response-headers', headerEdits, { doc: 'changes to headers of answers' }),
  timeoutMs: optional('timeout-secs', duration('seconds', { min: 1 }), {
    doc: "for the whole request; without it the listener's",
  }),
  maxBodyBytes: optional('max-body-size', bytes(), { doc: 'body of a request; without it that of limits' }),
  failureMode: setting('failure-mode', failureMode, { default: 'closed', doc: 'for agent filters without their own' }),
  rateLimit: child('rate-limit', routeRate, { doc: 'how many requests the route takes' }),
  bufferRequests: setting('buffer-requests', flag, {
    default: false,
    doc: 'read request bodies whole before they go on',
  }),
  bufferResponses: setting('buffer-responses', flag, { default: false, doc: 'read answers whole before they go on' }),
});

const retryPolicy: Block<RetryPolicyConfig> = block(
  {
    maxAttempts: setting('max-attempts', integer({ min: 1, max: 100 }), {
      default: 3,
      doc: 'tries in all, the first included',
    }),
    retryableStatusCodes: list('retryable-status-codes', statusCode, { doc: 'statuses that cause another try' }),
    backoffMs: setting('backoff', duration('none'), { default: '100ms', doc: 'first pause; doubles each time' }),
    maxBackoffMs: setting('max-backoff', duration('none'), { default: '2s', doc: 'longest pause' }),
    perAttemptTimeoutMs: optional('per-attempt-timeout', duration('none', { min: 1 }), { doc: 'for one try' }),
    retryNonIdempotent: setting('retry-non-idempotent', flag, {
      default: false,
      doc: 'repeat also what may not be safe to repeat, such as POST',
    }),
  },
  { unknown: 'error' },
  (values, node, reader) => {
    if (values.maxBackoffMs < values.backoffMs) {
      reader.error(
        'conflict',
        `max-backoff (${values.maxBackoffMs} ms) is smaller than backoff (${values.backoffMs} ms)`,
        node.position,
      );
    }
    return values;
  },
);

const staticFiles: Block<StaticFilesConfig> = block({
  root: required('root', word, { doc: 'the folder of the files', example: 'root "/var/www"' }),
  index: setting('index', word, { default: 'index.html', doc: 'file answered for a folder' }),
  directoryListing: setting('directory-listing', flag, { default: false, doc: 'list folders without that file' }),
  cacheControl: setting('cache-control', text, { default: 'public, max-age=3600', doc: 'Cache-Control of files' }),
  compress: setting('compress', flag, { default: true, doc: 'compress what can be compressed' }),
  fallback: optional('fallback', word, { doc: 'file answered for paths that do not exist' }),
});

const builtinHandler: ValueType<BuiltinHandler> = oneOf(
  ['health', 'status', 'metrics', 'not-found', 'upstreams', 'config'],
  {
    unsupported: { 'cache-stats': 'not-found', 'cache-purge': 'not-found' },
  },
);

/** A route whose references have not been looked up yet. */
export type RawRoute = Omit<RouteConfig, keyof Named | 'destination' | 'agents' | 'filters'> & {
  readonly destination: RawDestination;
  readonly agents: readonly Reference[];
  readonly filters: readonly Reference[];
};

/** Where a route leads, with the upstream still a reference. */
export type RawDestination =
  | { readonly kind: 'upstream'; readonly upstream: Reference }
  | { readonly kind: 'static'; readonly files: StaticFilesConfig }
  | { readonly kind: 'builtin'; readonly handler: BuiltinHandler };

/** `route`. */
export const route: Block<RawRoute> = block(
  {
    priority: setting('priority', priority, { default: 50, level: 'must', doc: 'larger wins' }),
    conditions: section('matches', matches, { level: 'must', deprecated: ['match'], doc: 'which requests it takes' }),
    upstream: optional('upstream', reference, { level: 'must', doc: 'where its requests go' }),
    staticFiles: child('static-files', staticFiles, { doc: 'files answered instead' }),
    builtin: optional('builtin-handler', builtinHandler, { level: 'must', doc: 'answered by the gateway itself' }),
    serviceType: optional(
      'service-type',
      oneOf(['web', 'api', 'static', 'builtin'], { unsupported: { inference: 'api' } }),
      {
        level: 'must',
        doc: 'form of error bodies; without it told from the destination',
      },
    ),
    agents: list('agents', reference, { level: 'must', doc: 'agents that decide, in order' }),
    filters: list('filters', reference, {
      doc: 'filters that run, in order; agents of filters are asked together, where the first of them stands',
    }),
    policies: section('policies', policies, { doc: 'headers, limits and time' }),
    retryPolicy: child('retry-policy', retryPolicy, { doc: 'another try when a target fails' }),
    websocket: setting('websocket', flag, { default: false, doc: 'pass on upgrades to WebSocket' }),
    websocketInspection: setting('websocket-inspection', flag, {
      default: false,
      level: 'may',
      doc: 'show the frames of WebSockets to agents with the event websocket_frame; each at most max-body-buffer-bytes long',
    }),
  },
  {
    noun: 'directive',
    unsupported: {
      'waf-enabled': 'a web application firewall; use an agent',
      shadow: 'copies of requests for another upstream',
      cache: 'remembered answers',
      'api-schema': 'checking bodies against a schema',
      'error-pages': 'pages for errors',
      fallback: 'other upstreams when one fails',
      inference: 'routing by language model',
    },
  },
  ({ upstream, staticFiles: files, builtin, serviceType, ...rest }, node, reader) => {
    const destination = chooseDestination(upstream, files, builtin, node, reader);
    if (destination === invalid) return invalid;
    // Conditions with mistakes have been reported; they are not missing.
    const attempted = node.children.some((inner) => /^match(?:es)?$/.test(inner.name) && inner.children.length > 0);
    if (!attempted && hasNoConditions(rest.conditions) && rest.priority > catchAllPriority) {
      const help = 'add: matches { path-prefix "/" }, or priority "low" for a route that takes what is left';
      reader.error('missing', 'it has no matches, and its priority is not "low"', node.position, help);
    }
    return { ...rest, destination, serviceType: serviceTypeOf(serviceType, destination, node, reader) };
  },
);

function hasNoConditions({ paths, hosts, methods, headers, query }: RouteConditions): boolean {
  return paths.length + hosts.length + methods.length + headers.length + query.length === 0;
}

function chooseDestination(
  upstream: Reference | undefined,
  files: StaticFilesConfig | undefined,
  handler: BuiltinHandler | undefined,
  node: KdlNode,
  reader: Reader,
): RawDestination | Invalid {
  const written = [
    upstream === undefined ? undefined : 'upstream',
    files === undefined ? undefined : 'static-files',
    handler === undefined ? undefined : 'builtin-handler',
  ].filter((name) => name !== undefined);
  if (written.length > 1) {
    return reader.error(
      'conflict',
      `it has ${written.length} destinations (${written.join(', ')}); keep one`,
      node.position,
    );
  }
  if (upstream !== undefined) return { kind: 'upstream', upstream };
  if (files !== undefined) return { kind: 'static', files };
  if (handler !== undefined) return { kind: 'builtin', handler };
  return reader.error(
    'missing',
    'it leads nowhere',
    node.position,
    'add one of: upstream "name", static-files { root "…" }, builtin-handler "health"',
  );
}

/** The setting each destination needs, by the service type that promises it. */
const destinationOf: Readonly<Partial<Record<ServiceType, readonly [RawDestination['kind'], string]>>> = {
  builtin: ['builtin', 'builtin-handler'],
  static: ['static', 'static-files'],
};

function serviceTypeOf(
  written: ServiceType | undefined,
  destination: RawDestination,
  node: KdlNode,
  reader: Reader,
): ServiceType {
  if (written === undefined) return destination.kind === 'upstream' ? 'web' : destination.kind;
  const promised = destinationOf[written];
  if (promised !== undefined && promised[0] !== destination.kind) {
    reader.error('conflict', `service-type ${JSON.stringify(written)} needs ${promised[1]}`, node.position);
  }
  if (promised === undefined && destination.kind === 'builtin') {
    reader.error(
      'conflict',
      `service-type ${JSON.stringify(written)} and builtin-handler contradict each other`,
      node.position,
    );
  }
  return written;
}
