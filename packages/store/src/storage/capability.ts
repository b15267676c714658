import type { SpanBatch } from '@clew/model';
import type { Component, ConsumeContext } from '@clew/pipeline';
import type { SqlClient } from '../engine/client.ts';
import type { StoreError } from '../errors.ts';
import type { PendingSpans } from '../writer/pending-spans.ts';

/** Marks the extension that stores; how exporters and APIs find it whatever its id. */
export const clewStorageCapability: unique symbol = Symbol('clew_storage');

/** What the storage extension offers to other components. */
export interface ClewStorage extends Component {
  readonly [clewStorageCapability]: true;
  /** Statements against the tables. While the engine starts they wait for a moment, then fail with `engine_unavailable`. */
  readonly client: SqlClient;
  /** What is acknowledged and may not be in the tables yet. */
  readonly pending: PendingSpans;
  /** Takes a batch; settles when it is durable. Rejects with a StoreError. */
  append(batch: SpanBatch, context: ConsumeContext): Promise<void>;
  /** Why a request of about that many bytes would not be taken now, or undefined. */
  refusal(bytes: number): StoreError | undefined;
  /** Settles once the tables are there and ready to be asked; rejects when they cannot be. */
  readonly ready: Promise<void>;
  /** Deletes traces (32 hex digits each) from every table, once what is acknowledged is stored; returns how many were looked at. */
  deleteTraces(tenant: string, traceIds: readonly string[], signal: AbortSignal): Promise<number>;
  /** Deletes every trace of demo data; returns how many. */
  deleteDemo(tenant: string, signal: AbortSignal): Promise<number>;
  /** Waits until everything acknowledged before the call is in the tables, or the signal aborts. For tests and tools. */
  settle(signal: AbortSignal): Promise<void>;
}

/** Whether a component is the storage. */
export function isClewStorage(component: Component): component is ClewStorage {
  return clewStorageCapability in component;
}
