import type { Named } from './named.ts';
import type { FailureMode, HeaderEdits } from './route.ts';
import type { RateConfig } from './system.ts';

/** `rate-limit`. */
export interface RateLimitFilter {
  readonly type: 'rate-limit';
  readonly rate: RateConfig;
  /** Refuse, hold back up to `maxDelayMs`, or only log. */
  readonly onLimit: 'reject' | 'delay' | 'log-only';
  readonly statusCode: number;
  /** The body of the refusal; absent = the gateway's own. */
  readonly message?: string;
  readonly maxDelayMs: number;
  /** Keys counted at once; the least recently seen is forgotten. */
  readonly maxKeys: number;
}

/** `agent`: calls an agent on the routes that list the filter. */
export interface AgentFilter {
  readonly type: 'agent';
  readonly agent: string;
  /** Absent = the agent's own. */
  readonly timeoutMs?: number;
  /** Absent = the route's policy. */
  readonly failureMode?: FailureMode;
  /** Absent = whatever the agent has subscribed to. */
  readonly phase?: 'request' | 'response' | 'both';
  readonly inspectBody: boolean;
  /** Absent = the agent's own. */
  readonly maxBodyBytes?: number;
}

/** `headers`. */
export interface HeadersFilter {
  readonly type: 'headers';
  readonly phase: 'request' | 'response' | 'both';
  readonly edits: HeaderEdits;
}

/** `cors`. */
export interface CorsFilter {
  readonly type: 'cors';
  /** Exact origins, or `*`. */
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  /** Empty = what the preflight asks for. */
  readonly allowedHeaders: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
}

/** How a path is changed: replaced whole, or the prefix that the route matched. */
export type PathRewrite =
  { readonly kind: 'full'; readonly path: string } | { readonly kind: 'prefix'; readonly prefix: string };

/** `redirect`: what is absent stays as the client asked. */
export interface RedirectFilter {
  readonly type: 'redirect';
  readonly statusCode: 301 | 302 | 303 | 307 | 308;
  readonly scheme?: 'http' | 'https';
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: PathRewrite;
}

/** `url-rewrite`: what is absent stays as the client asked. */
export interface UrlRewriteFilter {
  readonly type: 'url-rewrite';
  readonly hostname?: string;
  readonly path?: PathRewrite;
}

/** `timeout`: what is absent stays as listener and upstream say. */
export interface TimeoutFilter {
  readonly type: 'timeout';
  readonly requestTimeoutMs?: number;
  readonly upstreamTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

/** What a filter does. */
export type FilterSettings =
  RateLimitFilter | AgentFilter | HeadersFilter | CorsFilter | RedirectFilter | UrlRewriteFilter | TimeoutFilter;

/** One `filter`. */
export interface FilterConfig extends Named {
  readonly settings: FilterSettings;
}
