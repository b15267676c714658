import { closeSync } from 'node:fs';
import type { Telemetry } from '@clew/base';
import type { LoggingConfig, LogSink } from '../../config/model/observability.ts';
import { FileSink, openPlace } from './log-sink.ts';
import type { LineSink, SinkPlace } from './log-sink.ts';

/** The logs that have a sink. */
export type LogName = 'access' | 'error' | 'audit';

/** Lines of a log, from a thread that has no files of its own. */
export interface ForwardedLines {
  readonly log: LogName;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lines: number;
}

/** Sinks of the logs that are on. */
export type LogSinkSet = Readonly<Partial<Record<LogName, LineSink>>>;

/** Opens sinks for a configuration. */
export interface SinkOpener {
  /** Sinks for `logging`; those of before that it needs no more are closed. */
  update(logging: LoggingConfig): LogSinkSet;
  /** Opens all files anew. */
  reopen(): void;
  /** Writes everything and closes all. */
  close(): Promise<void>;
}

/** Sinks on files and standard output; logs that go to one place share a sink, so that lines never mix. */
export class FileSinks implements SinkOpener {
  readonly #telemetry: Telemetry;
  readonly #lost;
  readonly #sinks = new Map<string, FileSink>();
  readonly #closing = new Set<Promise<void>>();
  #shown = '';
  #set: LogSinkSet = {};

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
    this.#lost = telemetry.meter.counter({
      name: 'clew_gateway_log_lines_lost_total',
      help: 'Lines of access, error and audit logs that could not be written.',
    });
    this.#lost.add(0);
  }

  update(logging: LoggingConfig): LogSinkSet {
    const wanted = wantedSinks(logging);
    const shown = JSON.stringify(wanted);
    if (shown === this.#shown) return this.#set;
    const used = new Set<string>();
    const set: Partial<Record<LogName, LineSink>> = {};
    for (const [name, config] of wanted) {
      const key = this.#open(name, config);
      used.add(key);
      set[name] = this.#sinks.get(key)!;
    }
    for (const [key, sink] of this.#sinks) {
      if (used.has(key)) continue;
      this.#sinks.delete(key);
      this.#close(sink);
    }
    this.#shown = shown;
    this.#set = set;
    return set;
  }

  /** Lines of another thread; those of a log that is off by now are not wanted any more. */
  forwarded({ log, bytes, lines }: ForwardedLines): void {
    const sink = this.#set[log];
    if (sink === undefined) return;
    const start = sink.line.length;
    sink.line.append(bytes);
    sink.lineWritten(start, lines);
  }

  reopen(): void {
    for (const sink of this.#sinks.values()) sink.reopen();
  }

  async close(): Promise<void> {
    for (const sink of this.#sinks.values()) this.#close(sink);
    this.#sinks.clear();
    await Promise.all(this.#closing);
  }

  /** The key of the sink, which exists afterwards. */
  #open(name: LogName, config: LogSink): string {
    // Standard output is for the lines of access and audit logs alone.
    const fallback = { kind: name === 'error' ? 'stderr' : 'stdout' } as const;
    const opened = openPlace(`${name} log`, config, this.#telemetry.logger, fallback);
    const key = keyOf(opened.place);
    if (!this.#sinks.has(key)) {
      const lost = (lines: number): void => this.#lost.add(lines);
      this.#sinks.set(key, new FileSink(opened, config, { logger: this.#telemetry.logger, lost }));
    } else if (opened.place.kind === 'file') closeSync(opened.fd);
    return key;
  }

  #close(sink: FileSink): void {
    const closing = sink.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function keyOf(place: SinkPlace): string {
  return place.kind === 'file' ? `file ${place.path}` : place.kind;
}

function wantedSinks({ accessLog, errorLog, auditLog }: LoggingConfig): readonly (readonly [LogName, LogSink])[] {
  const wanted: (readonly [LogName, LogSink])[] = [];
  if (accessLog?.enabled) wanted.push(['access', sinkOf(accessLog)]);
  if (errorLog.enabled) wanted.push(['error', sinkOf(errorLog)]);
  if (auditLog?.enabled) wanted.push(['audit', sinkOf(auditLog)]);
  return wanted;
}

function sinkOf({ file, defaultFile, bufferBytes, maxWaitingBytes }: LogSink): LogSink {
  return { ...(file === undefined ? {} : { file }), defaultFile, bufferBytes, maxWaitingBytes };
}
