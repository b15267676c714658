import type { AgentConfig } from './model/agent.ts';
import type { FilterConfig } from './model/filter.ts';
import type { ListenerConfig } from './model/listener.ts';
import type { ObservabilityConfig } from './model/observability.ts';
import type { RouteConfig } from './model/route.ts';
import type { LimitsConfig, RateLimitsConfig, SystemConfig } from './model/system.ts';
import type { UpstreamConfig } from './model/upstream.ts';

/**
 * A gateway's whole configuration, checked: every reference leads somewhere, every default is filled in, durations are
 * milliseconds and sizes bytes. The folder `model/` has a file for each block.
 *
 * Plain data without functions, so that it can be compared, printed and handed to other threads.
 */
export interface GatewayConfig {
  /** Every file that was read, the one named by the user first. */
  readonly files: readonly string[];
  /** The version of the language the file asks for, such as `1.0`. */
  readonly schemaVersion: string;
  readonly system: SystemConfig;
  /** At least one. */
  readonly listeners: readonly ListenerConfig[];
  /** In the order written. */
  readonly routes: readonly RouteConfig[];
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>;
  readonly agents: ReadonlyMap<string, AgentConfig>;
  readonly filters: ReadonlyMap<string, FilterConfig>;
  readonly limits: LimitsConfig;
  readonly rateLimits: RateLimitsConfig;
  readonly observability: ObservabilityConfig;
}
