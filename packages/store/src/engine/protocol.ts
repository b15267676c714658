import type { StatementClass } from './client.ts';

/**
 * What the engine process and its clients agree on, beside ClickHouse's own HTTP interface: docs/engine-protocol.md.
 */

/** Says which sessions a statement may use; unknown to a ClickHouse server, which ignores the header. */
export const classHeader = 'x-clew-class';
/** Gives the random tag that marks an exception inside a response body (ClickHouse 25.11 and newer). */
export const exceptionTagHeader = 'x-clickhouse-exception-tag';
/** ClickHouse's number of the error a response reports. */
export const exceptionCodeHeader = 'x-clickhouse-exception-code';
/** Word that opens and closes an exception inside a response body. */
export const exceptionWord = '__exception__';
/** Longest request target accepted and sent, in bytes: what a ClickHouse server accepts by default, less some room. */
export const maxTargetBytes = 1_000_000;

/** Error numbers of ClickHouse that mean something to the client. */
export const engineCodes = Object.freeze({
  syntaxError: 62,
  cannotOpenFile: 76,
  timeoutExceeded: 159,
  tooManySimultaneousQueries: 202,
  notEnoughSpace: 243,
  memoryLimitExceeded: 241,
  queryWasCancelled: 394,
  tooManyRowsOrBytes: 396,
  unknownQueryParameter: 456,
  authenticationFailed: 516,
});

/** URL parameters that are no settings. */
export const reservedParameters: ReadonlySet<string> = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
]);

/** How many sessions of each class the engine opens. */
export type SessionCounts = Readonly<Record<StatementClass, number>>;

/** Where the engine listens. Plain data: it can be handed to a worker thread. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** All that is needed to speak to a running embedded engine. Contains the secret: never log it. */
export interface EngineEndpoint {
  readonly address: EngineAddress;
  readonly user: string;
  readonly secret: string;
}

/** First message over the control pipe: what to open and how to be reached. */
export interface OpenMessage {
  readonly kind: 'open';
  /** Directory of the engine's tables. */
  readonly engineDirectory: string;
  /** Directory of the socket, the result pipes and the engine's configuration; readable by this user only. */
  readonly runDirectory: string;
  /** Socket path, or undefined for a port of the loopback interface. */
  readonly socketPath?: string;
  readonly user: string;
  readonly secret: string;
  readonly sessions: SessionCounts;
  /** Content of the engine's configuration file. */
  readonly configXml: string;
  /** Settings every statement starts from. */
  readonly baseSettings: Readonly<Record<string, string>>;
  /** Statements that may wait in the engine for a session of one class. */
  readonly maxWaitingPerClass: number;
}

/** Asks the engine to end: statements get `drainMs` to finish, then they are killed. */
export interface StopMessage {
  readonly kind: 'stop';
  readonly drainMs: number;
}

export type ControlMessage = OpenMessage | StopMessage;

/** The engine accepts requests. */
export interface ReadyMessage {
  readonly kind: 'ready';
  readonly address: EngineAddress;
  readonly version: string;
  /** Soft limit of open files, or undefined where it cannot be read. */
  readonly maxOpenFiles?: number;
  /** `pipe`: results are streamed. `buffered`: named pipes cannot be made here, so each result is held in memory first. */
  readonly results: 'pipe' | 'buffered';
}

/** The engine could not open; it exits after this. */
export interface FailedMessage {
  readonly kind: 'failed';
  readonly message: string;
}

export type ReportMessage = ReadyMessage | FailedMessage;
