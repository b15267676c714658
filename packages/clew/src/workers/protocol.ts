import type { LogLevel } from '@clew/base';
import type { MetricFamily } from '@clew/base/node';
import { Refusal } from '@clew/pipeline';
import type { ComponentStatus, ConsumeContext, EdgePart, RefusalCode } from '@clew/pipeline';

/**
 * What the main thread and an edge worker say to each other. Everything here is plain data that structured cloning copies.
 *
 * Two ports: the worker's own carries control (this file's first half), one beside it carries batches and what became of them, so
 * that each has one owner at either end.
 */

/** What a worker is born with. */
export interface WorkerSetup {
  readonly index: number;
  readonly logLevel: LogLevel;
}

/** A question of main; `call` names it in the answer. */
export type ControlRequest =
  /** Makes the components of a part, starts its extensions, starts nothing else. */
  | {
      readonly kind: 'load';
      readonly place: number;
      readonly part: EdgePart;
      readonly admission: SharedArrayBuffer;
      readonly refusals: readonly RefusalNotice[];
    }
  /** Starts one node; `checkFree` says whether its ports are first checked to be free. */
  | { readonly kind: 'start'; readonly place: number; readonly key: string; readonly checkFree: boolean }
  | { readonly kind: 'stop'; readonly place: number; readonly key: string; readonly expired: boolean }
  /** Stops extensions and forgets the part. */
  | { readonly kind: 'unload'; readonly place: number }
  | { readonly kind: 'report' };

/** What main sends on the control port. */
export type ControlMessage =
  | { readonly kind: 'ask'; readonly call: number; readonly request: ControlRequest }
  /** The deadline of a `stop` has passed. */
  | { readonly kind: 'expire'; readonly call: number };

/** What a worker sends on the control port. */
export type WorkerMessage =
  | { readonly kind: 'answer'; readonly call: number; readonly failure?: FailureData }
  | { readonly kind: 'report'; readonly report: WorkerReport }
  | { readonly kind: 'status'; readonly place: number; readonly key: string; readonly status: StatusData }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: object;
    };

/** What a worker says of itself. */
export interface WorkerReport {
  /** Snapshots of running nodes, by place and key. */
  readonly details: readonly { readonly place: number; readonly key: string; readonly details: Details }[];
  readonly families: readonly MetricFamily[];
  /** Heap and array buffers of the worker. */
  readonly heldBytes: number;
}

/** A component's snapshot. */
export type Details = Readonly<Record<string, unknown>>;

/** An error on its way to another thread. */
export interface FailureData {
  readonly message: string;
  readonly stack?: string;
}

/** A health status on its way to another thread. */
export type StatusData =
  | { readonly kind: 'starting' | 'ok' | 'stopping' | 'stopped' }
  | { readonly kind: 'recoverable' | 'permanent' | 'fatal'; readonly error: FailureData };

/** A refusal on its way to another thread. */
export interface RefusalData {
  readonly code: RefusalCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** A packed batch for entry number `entry` of a place. */
export interface PackedBatch {
  readonly id: number;
  readonly place: number;
  readonly entry: number;
  /** Exactly what `packBatch` gave; its buffer is transferred. */
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly context: Omit<ConsumeContext, 'signal'>;
}

/** What a worker sends on the batch port: what gathered in one turn of its event loop. */
export interface BatchMessage {
  readonly batches: readonly PackedBatch[];
  /** Batches whose senders gave up. */
  readonly cancelled: readonly number[];
}

/** What became of a batch: taken unless there is a refusal. */
export interface Outcome {
  readonly id: number;
  readonly refusal?: RefusalData;
}

/** Entry `entry` of a place does not take data, for the reason that the shared admission state calls `number`. */
export interface RefusalNotice {
  readonly place: number;
  readonly entry: number;
  readonly number: number;
  readonly refusal: RefusalData;
}

/** What main sends on the batch port. */
export interface SettledMessage {
  readonly outcomes: readonly Outcome[];
  readonly notices: readonly RefusalNotice[];
}

/** A refusal as plain data. */
export function refusalData(refusal: Refusal): RefusalData {
  const { code, message, retryAfterMs } = refusal;
  return { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The refusal that data describes. */
export function refusalOf({ code, message, retryAfterMs }: RefusalData): Refusal {
  return new Refusal(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** Anything caught as plain data. */
export function failureData(caught: unknown): FailureData {
  if (!(caught instanceof Error)) return { message: String(caught) };
  return { message: caught.message, ...(caught.stack === undefined ? {} : { stack: caught.stack }) };
}

/** The error that data describes, with the stack of the thread it was thrown in. */
export function errorOf({ message, stack }: FailureData): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** A status as plain data. */
export function statusData(status: ComponentStatus): StatusData {
  return 'error' in status ? { kind: status.kind, error: failureData(status.error) } : status;
}

/** The status that data describes. */
export function statusOf(status: StatusData): ComponentStatus {
  return 'error' in status ? { kind: status.kind, error: errorOf(status.error) } : status;
}
