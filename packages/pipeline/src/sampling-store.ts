import type { Component } from './component.ts';

/** How a root span says that it came to be sampled. */
export type RootSampler =
  /** By probability; `param` is the probability. */
  | 'probabilistic'
  /** By the guaranteed minimum of its operation; `param` is the probability that did not take it. */
  | 'lowerbound'
  /** It says nothing, as spans of OpenTelemetry SDKs do. */
  | 'untagged';

/** Which root spans are counted. Intervals are numbered: `number` begins at `number * intervalMs` since 1970, by time of arrival. */
export interface RootCountRequest {
  readonly tenant: string;
  readonly services: readonly string[];
  readonly intervalMs: number;
  readonly firstInterval: number;
  /** Included. */
  readonly lastInterval: number;
  /** Rows per interval and service, at most; the busiest come first. */
  readonly maxRowsPerService: number;
}

/** Traces of one operation that arrived in one interval, by what their root spans say of their sampling. */
export interface RootCount {
  readonly interval: number;
  readonly service: string;
  readonly operation: string;
  readonly sampler: RootSampler;
  /** Rounded to six decimals; 0 when the span says nothing. */
  readonly param: number;
  /** Different traces; beyond 65,536 within a percent. */
  readonly traces: number;
}

/** What was found out about one operation. */
export interface OperationSamplingState {
  readonly service: string;
  readonly operation: string;
  /** From now on. */
  readonly probability: number;
  /** Sampled traces per second, measured. */
  readonly tracesPerSecond: number;
  /** Whether its traces show that the service samples by the probability it is told. */
  readonly followed: boolean;
  /** The round in which `probability` came into force. */
  readonly changedRound: number;
}

/** Everything one round of calculation found out. */
export interface SamplingRound {
  /** Rounds are numbered as intervals are; 0 when there was none yet. */
  readonly round: number;
  readonly operations: readonly OperationSamplingState[];
}

/** That a service was told a version of its strategy: the newest `changedRound` of its operations. */
export interface ServedStrategy {
  readonly service: string;
  readonly version: number;
  readonly firstUnixMs: number;
  readonly lastUnixMs: number;
}

/** One process's wish to be the leader for a term. */
export interface LeaseClaim {
  readonly term: number;
  readonly holder: string;
  /** When the wish was stored first. */
  readonly claimedUnixMs: number;
  readonly untilUnixMs: number;
  readonly released: boolean;
}

/** Claims as the store has them, with its own clock: the one that all processes share. */
export interface LeaseState {
  readonly nowUnixMs: number;
  readonly claims: readonly LeaseClaim[];
}

/**
 * What adaptive sampling needs of a storage: the traffic it has seen, and a memory that survives restarts and is shared by all processes that
 * use the storage. Every method rejects with the storage's own errors; nothing is lost by trying again later.
 */
export interface SamplingStore {
  /** True when no other process can use this storage, so that nobody needs to be elected. */
  readonly exclusive: boolean;
  countRoots(request: RootCountRequest, signal: AbortSignal): Promise<RootCount[]>;
  /** The newest round that was saved. */
  latestRound(tenant: string, signal: AbortSignal): Promise<SamplingRound>;
  /** Seen by others as a whole or not at all. */
  saveRound(tenant: string, round: SamplingRound, signal: AbortSignal): Promise<void>;
  /** Versions that were served since a time, of all processes. */
  servedSince(tenant: string, unixMs: number, signal: AbortSignal): Promise<ServedStrategy[]>;
  /** Adds what was served: of what was noted before, the earlier beginning and the later end hold. */
  noteServed(tenant: string, served: readonly ServedStrategy[], signal: AbortSignal): Promise<void>;
  /** Claims of the newest terms. */
  leaseState(signal: AbortSignal): Promise<LeaseState>;
  /** Claims a term for a while from now on, or prolongs a claim. */
  claimLease(claim: LeaseWish, signal: AbortSignal): Promise<void>;
  /** Drops what is older than anybody asks for. */
  forgetBefore(tenant: string, unixMs: number, round: number, signal: AbortSignal): Promise<void>;
}

/** What is stored of a claim. */
export interface LeaseWish {
  readonly term: number;
  readonly holder: string;
  readonly durationMs: number;
  /** Gives the term up. */
  readonly released?: boolean;
}

/** An extension that stores and lets adaptive sampling use what it has. */
export interface SamplingStorage extends Component {
  readonly samplingStore: SamplingStore;
}

/** Whether an extension is a {@link SamplingStorage}. */
export function isSamplingStorage(component: Component): component is SamplingStorage {
  return 'samplingStore' in component;
}
