import type { MetricFamily } from '@clew/base/node';
import type { GatewayConfig } from '../config/model.ts';
import type { HealthChange } from '../proxy/observer.ts';
import type { SharedCircuits } from '../proxy/server/shared-circuits.ts';
import type { UpstreamSnapshot } from '../proxy/upstream/upstream.ts';
import type { Environment } from '../telemetry/exporter/settings.ts';
import type { ForwardedLines } from '../telemetry/logs/log-sinks.ts';
import type { GatewayIdentity } from '../telemetry/spans/resource.ts';
import type { SharedCounts } from './gateway-unit.ts';
import type { ForwardedLine } from './forwarding-logger.ts';

/** What a thread is started with. */
export interface ThreadSetup {
  readonly index: number;
  readonly identity: GatewayIdentity;
  readonly env: Environment;
  readonly shared: SharedCounts;
  readonly circuits: SharedCircuits;
  /** Its listeners have the ports that the first thread bound. */
  readonly config: GatewayConfig;
}

/** What the first thread asks of another; each is answered. */
export type ThreadRequest =
  | { readonly kind: 'reload'; readonly config: GatewayConfig; readonly circuits: SharedCircuits }
  | { readonly kind: 'reloadCertificates' }
  | { readonly kind: 'report' }
  | { readonly kind: 'stop'; readonly limitMs: number; readonly flushMs: number };

/** Numbers and states of a thread. */
export interface ThreadReport {
  readonly families: readonly MetricFamily[];
  readonly upstreams: readonly UpstreamSnapshot[];
}

/** What a request is answered with. */
export interface ThreadAnswers {
  readonly reload: undefined;
  readonly reloadCertificates: undefined;
  readonly report: ThreadReport;
  /** Whether all requests had finished. */
  readonly stop: boolean;
}

/** What one thread found out and all should know. */
export interface NewsMessage {
  readonly kind: 'healthChanged';
  readonly change: HealthChange;
}

/** What threads have to ask the first one for, since only that one can ask all. */
export interface LeaderAnswers {
  readonly metricsText: string;
  readonly upstreams: readonly UpstreamSnapshot[];
}

/** From the first thread. */
export type ToThread =
  | NewsMessage
  | { readonly kind: 'ask'; readonly call: number; readonly request: ThreadRequest }
  | { readonly kind: 'told'; readonly call: number; readonly value: LeaderAnswers[keyof LeaderAnswers] };

/** To the first thread. */
export type FromThread =
  | NewsMessage
  | { readonly kind: 'started' }
  | { readonly kind: 'startFailed'; readonly reason: string }
  | { readonly kind: 'answer'; readonly call: number; readonly value: ThreadAnswers[keyof ThreadAnswers] }
  | { readonly kind: 'failure'; readonly call: number; readonly reason: string }
  | { readonly kind: 'askLeader'; readonly call: number; readonly about: keyof LeaderAnswers }
  | { readonly kind: 'log'; readonly line: ForwardedLine }
  | ({ readonly kind: 'lines' } & ForwardedLines);
