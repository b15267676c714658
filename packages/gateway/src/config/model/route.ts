import type { Named } from './named.ts';
import type { RateConfig } from './system.ts';

/** A condition on the undecoded path, without query. */
export interface PathCondition {
  readonly kind: 'exact' | 'prefix' | 'regex';
  readonly value: string;
}

/** A condition on the host, in lower case; a wildcard is written `*.name`. */
export interface HostCondition {
  readonly kind: 'exact' | 'wildcard' | 'regex';
  readonly value: string;
}

/** A header or query parameter that must be there, and have that very value when one is given. */
export interface ValueCondition {
  /** Headers: in lower case. Query parameters: decoded, as written. */
  readonly name: string;
  readonly value?: string;
}

/**
 * The `matches` block. Different kinds must all hold; of one kind one is enough, but every header and every parameter that is
 * named must be there.
 */
export interface RouteConditions {
  readonly paths: readonly PathCondition[];
  readonly hosts: readonly HostCondition[];
  /** In upper case. */
  readonly methods: readonly string[];
  readonly headers: readonly ValueCondition[];
  readonly query: readonly ValueCondition[];
}

/** A header with a value. */
export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

/** A header and its new name. */
export interface HeaderRename {
  readonly from: string;
  readonly to: string;
}

/** Changes to headers, applied in this order: rename, set, add, remove. Names keep the case they were written in. */
export interface HeaderEdits {
  readonly rename: readonly HeaderRename[];
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

/** What happens to a request when an agent fails: it goes on without the agent, or is refused. */
export type FailureMode = 'open' | 'closed';

/** The `policies` block. */
export interface PoliciesConfig {
  readonly requestHeaders: HeaderEdits;
  readonly responseHeaders: HeaderEdits;
  /** For the whole request; absent = the listener's. */
  readonly timeoutMs?: number;
  /** A request body; absent = `limits`. */
  readonly maxBodyBytes?: number;
  /** For agent filters that have none of their own. */
  readonly failureMode: FailureMode;
  readonly rateLimit?: RateConfig;
  readonly bufferRequests: boolean;
  readonly bufferResponses: boolean;
}

/** The `retry-policy` block. */
export interface RetryPolicyConfig {
  /** Tries in all, the first one included. */
  readonly maxAttempts: number;
  /** Statuses of an upstream that cause another try. */
  readonly retryableStatusCodes: readonly number[];
  /** The first pause; each further one is twice as long. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly perAttemptTimeoutMs?: number;
  /** Whether methods that may not be repeated safely are repeated all the same. */
  readonly retryNonIdempotent: boolean;
}

/** The `static-files` block. */
export interface StaticFilesConfig {
  readonly root: string;
  readonly index: string;
  readonly directoryListing: boolean;
  /** The Cache-Control header of files. */
  readonly cacheControl: string;
  readonly compress: boolean;
  /** The file answered for paths that do not exist. */
  readonly fallback?: string;
}

/** Answers the gateway gives itself. */
export type BuiltinHandler = 'health' | 'status' | 'metrics' | 'not-found' | 'upstreams' | 'config';

/** What kind of clients a route has; decides the form of error bodies. */
export type ServiceType = 'web' | 'api' | 'static' | 'builtin';

/** Where a route's requests go. */
export type RouteDestination =
  | { readonly kind: 'upstream'; readonly upstream: string }
  | { readonly kind: 'static'; readonly files: StaticFilesConfig }
  | { readonly kind: 'builtin'; readonly handler: BuiltinHandler };

/** One `route`. */
export interface RouteConfig extends Named {
  /** Larger wins. */
  readonly priority: number;
  readonly conditions: RouteConditions;
  readonly destination: RouteDestination;
  readonly serviceType: ServiceType;
  /** Ids, in the order they decide; they come before the agents of filters. */
  readonly agents: readonly string[];
  /** Ids, in the order they run. */
  readonly filters: readonly string[];
  readonly policies: PoliciesConfig;
  readonly retryPolicy?: RetryPolicyConfig;
  /** Whether upgrades to WebSocket are passed on. */
  readonly websocket: boolean;
  /** Whether agents are shown the frames. */
  readonly websocketInspection: boolean;
}
