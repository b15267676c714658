import type { Named } from '../model/named.ts';
import type {
  AgentFilter,
  CorsFilter,
  FilterConfig,
  FilterSettings,
  HeadersFilter,
  PathRewrite,
  RateLimitFilter,
  RedirectFilter,
  TimeoutFilter,
  UrlRewriteFilter,
} from '../model/filter.ts';
import { headerName, httpMethod, urlPath } from '../table/address-type.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { blockByType } from '../table/collections.ts';
import { list, optional, required, setting } from '../table/field.ts';
import { isValid } from '../table/reader.ts';
import type { Reader } from '../table/reader.ts';
import type { KdlNode } from '../../kdl/node.ts';
import { bytes, duration, flag, integer, oneOf, refine, text } from '../table/value-type.ts';
import { fail, ok } from '@clew/base';
import { failureMode } from './agent.ts';
import { reference } from './reference.ts';
import type { Reference } from './reference.ts';
import { headerEditFields, rateLimitKey, statusCode, toHeaderEdits } from './shared.ts';
import { burstSize, requestRate } from './system.ts';

const phase = oneOf(['request', 'response', 'both']);

const rateLimit: Block<RateLimitFilter> = block(
  {
    requestsPerSecond: setting('max-rps', requestRate, { default: 100, doc: 'requests a second' }),
    burst: setting('burst', burstSize, { default: 10, doc: 'requests at once' }),
    key: setting('key', rateLimitKey, { default: 'client-ip', doc: 'what requests are told apart by' }),
    onLimit: setting('on-limit', oneOf(['reject', 'delay', 'log-only']), {
      default: 'reject',
      doc: 'what happens beyond the rate',
    }),
    statusCode: setting('status-code', statusCode, { default: 429, doc: 'status of a refusal' }),
    message: optional('message', text, { aliases: ['limit-message'], doc: 'body of a refusal' }),
    maxDelayMs: setting('max-delay-ms', duration('milliseconds'), {
      default: 5000,
      doc: 'how long a request is held back, with on-limit "delay"',
    }),
    maxKeys: setting('max-keys', integer({ min: 1 }), {
      default: 100000,
      doc: 'keys counted at once; with several threads all rates have 131072 together instead',
    }),
    backend: setting('backend', oneOf(['local'], { unsupported: { redis: 'local', memcached: 'local' } }), {
      default: 'local',
      level: 'may',
      doc: 'where the counts are kept',
    }),
  },
  {},
  ({ requestsPerSecond, burst, key, backend: _local, ...rest }) => ({
    type: 'rate-limit',
    rate: { requestsPerSecond, burst, key },
    ...rest,
  }),
);

/** An agent filter whose agent has not been looked up yet. */
export type RawAgentFilter = Omit<AgentFilter, 'agent'> & { readonly agent: Reference };

const agentFilter: Block<RawAgentFilter> = block(
  {
    agent: required('agent', reference, { doc: 'the agent to call', example: 'agent "auth"' }),
    timeoutMs: optional('timeout-ms', duration('milliseconds', { min: 1 }), {
      doc: "for one call; without it the agent's own",
    }),
    failureMode: optional('failure-mode', failureMode, { doc: "without it that of the route's policies" }),
    phase: optional('phase', phase, { doc: 'without it whatever the agent subscribes to' }),
    inspectBody: setting('inspect-body', flag, { default: false, doc: 'whether it is shown bodies' }),
    maxBodyBytes: optional('max-body-bytes', bytes(), { doc: "largest body; without it the agent's own" }),
  },
  {},
  (values) => ({ type: 'agent', ...values }),
);

const headers: Block<HeadersFilter> = block(
  { phase: setting('phase', phase, { default: 'request', doc: 'which headers are edited' }), ...headerEditFields },
  {},
  ({ phase: when, ...edits }) => ({ type: 'headers', phase: when, edits: toHeaderEdits(edits) }),
);

const origin = refine(text, 'an origin such as "https://example.com", or "*"', (written) => {
  if (written === '*' || written === 'null') return ok(written);
  const url = URL.parse(written);
  return url !== null && url.origin !== 'null' ? ok(url.origin) : fail(undefined);
});

const cors: Block<CorsFilter> = block(
  {
    allowedOrigins: list('allowed-origins', origin, { default: ['*'], aliases: ['origins'], doc: 'who may ask' }),
    allowedMethods: list('allowed-methods', httpMethod, {
      default: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'],
      aliases: ['methods'],
      doc: 'methods they may use',
    }),
    allowedHeaders: list('allowed-headers', headerName, { doc: 'headers they may send; without it those asked for' }),
    exposedHeaders: list('exposed-headers', headerName, { doc: 'headers of answers they may read' }),
    allowCredentials: setting('allow-credentials', flag, { default: false, doc: 'whether cookies may come along' }),
    maxAgeSeconds: setting('max-age-secs', integer({ min: 0 }), {
      default: 86400,
      aliases: ['max-age'],
      doc: 'how long a browser remembers the answer',
    }),
  },
  {},
  (values, node, reader) => {
    if (values.allowCredentials && values.allowedOrigins.includes('*')) {
      const message = 'allow-credentials has no effect with any origin ("*"): browsers refuse that; name the origins';
      reader.warn('conflict', message, node.position);
    }
    return { type: 'cors', ...values };
  },
);

const hostName = refine(text, 'the name of a host', (written) =>
  /^[A-Za-z0-9_.-]+(?::\d{1,5})?$|^\[[0-9a-fA-F:.]+\](?::\d{1,5})?$/.test(written) ? ok(written) : fail(undefined),
);

const rewriteFields = {
  hostname: optional('hostname', hostName, { aliases: ['host'], doc: 'another host' }),
  fullPath: optional('replace-full-path', urlPath, { doc: 'another path' }),
  prefix: optional('replace-prefix-match', urlPath, {
    doc: 'another beginning of the path, in place of the matched prefix',
  }),
};

function pathRewrite(
  { fullPath, prefix }: { readonly fullPath?: string; readonly prefix?: string },
  node: KdlNode,
  reader: Reader,
): { readonly path?: PathRewrite } {
  if (fullPath !== undefined && prefix !== undefined) {
    reader.error('conflict', 'replace-full-path and replace-prefix-match exclude each other', node.position);
  }
  if (fullPath !== undefined) return { path: { kind: 'full', path: fullPath } };
  return prefix === undefined ? {} : { path: { kind: 'prefix', prefix } };
}

const redirect: Block<RedirectFilter> = block(
  {
    statusCode: setting('status-code', redirectStatus(), { default: 302, doc: 'status of the answer' }),
    scheme: optional('scheme', oneOf(['http', 'https']), { doc: 'another scheme' }),
    port: optional('port', integer({ min: 1, max: 65535 }), { doc: 'another port' }),
    ...rewriteFields,
  },
  {},
  ({ fullPath, prefix, ...rest }, node, reader) => ({
    type: 'redirect',
    ...rest,
    ...pathRewrite(
      { ...(fullPath === undefined ? {} : { fullPath }), ...(prefix === undefined ? {} : { prefix }) },
      node,
      reader,
    ),
  }),
);

function redirectStatus() {
  const statuses = [301, 302, 303, 307, 308] as const;
  return refine(integer(), '301, 302, 303, 307 or 308', (written) => {
    const status = statuses.find((candidate) => candidate === written);
    return status === undefined ? fail(undefined) : ok(status);
  });
}

const urlRewrite: Block<UrlRewriteFilter> = block(rewriteFields, {}, (values, node, reader) => ({
  type: 'url-rewrite',
  ...(values.hostname === undefined ? {} : { hostname: values.hostname }),
  ...pathRewrite(values, node, reader),
}));

const seconds = duration('seconds', { min: 1 });

const timeout: Block<TimeoutFilter> = block(
  {
    requestTimeoutMs: optional('request-timeout-secs', seconds, { doc: 'for the whole request' }),
    upstreamTimeoutMs: optional('upstream-timeout-secs', seconds, { doc: 'for the exchange with the target' }),
    connectTimeoutMs: optional('connect-timeout-secs', seconds, { doc: 'until connected to the target' }),
  },
  {},
  (values) => ({ type: 'timeout', ...values }),
);

/** A filter that is known and does nothing in this build: routes that list it go on without it. */
function inert(purpose: string): Block<InertFilter> {
  return {
    doc: { fields: [], unsupported: {} },
    read(node, reader) {
      reader.warn(
        'unsupported',
        `${purpose} is recognised, not supported by this build; the filter does nothing`,
        node.position,
      );
      return { type: 'inert' };
    },
  };
}

interface InertFilter {
  readonly type: 'inert';
}

/** A filter before its references are looked up. */
export type RawFilter = Omit<FilterConfig, keyof Named | 'settings'> & {
  readonly settings: Exclude<FilterSettings, AgentFilter> | RawAgentFilter | InertFilter;
};

const settings: Block<RawFilter['settings']> = blockByType<RawFilter['settings']>('type', {
  variants: {
    'rate-limit': rateLimit,
    agent: agentFilter,
    headers: headers,
    cors: cors,
    redirect: redirect,
    'url-rewrite': urlRewrite,
    timeout: timeout,
    compress: inert('compression of answers'),
    log: inert('additional log lines'),
    geo: inert('looking up countries'),
  },
});

/** `filter`. */
export const filter: Block<RawFilter> = {
  doc: settings.doc,
  read(node, reader) {
    const read = settings.read(node, reader);
    return isValid(read) ? { settings: read } : read;
  },
};
