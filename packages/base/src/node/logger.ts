import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, multistream, pino } from 'pino';
import type { DestinationStream } from 'pino';
import { LevelledLogger } from '../levelled-logger.ts';
import type { LogLevel } from '../levelled-logger.ts';
import type { LogFields, Logger } from '../telemetry.ts';
import { LogSampler, defaultLogSampling } from './log-sampler.ts';
import type { LogSampling } from './log-sampler.ts';

/** How log lines are written. */
export interface LoggerOptions {
  readonly level?: LogLevel;
  /** `console`: time, level, message and fields separated by tabs. `json`: one object a line. Default `console`. */
  readonly encoding?: 'console' | 'json';
  readonly sampling?: LogSampling;
  /** `stderr`, `stdout` or files, which are appended to. Default `stderr`. */
  readonly outputPaths?: readonly string[];
  /** Fields on every line. */
  readonly fields?: LogFields;
  /** When true, stacks of errors are left out. Default false. */
  readonly disableStacktrace?: boolean;
  /** Where lines go instead of `outputPaths`; for tests and embedding. */
  readonly write?: (line: string) => void;
}

/** A logger and the way to end it. */
export interface RootLogger extends Logger {
  /** Changes the level of this logger and of all its children. */
  setLevel(level: LogLevel): void;
  /** Writes what is buffered. Lines are written synchronously, so nothing is lost when the process ends. */
  flush(): void;
}

/** Makes a logger on top of pino. Throws when an output file cannot be opened. */
export function createLogger(options: LoggerOptions = {}): RootLogger {
  const sink = options.write === undefined ? openOutputs(options.outputPaths ?? ['stderr']) : { write: options.write };
  const threshold = { level: options.level ?? 'info' };
  const encode = options.encoding === 'json' ? (line: string) => line : consoleLine;
  const stream: DestinationStream = { write: (line) => sink.write(encode(line)) };
  const base = pino(
    {
      base: null,
      // The threshold is ours, so that it can change under children.
      level: 'debug',
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => errorField(error, options.disableStacktrace === true) },
    },
    stream,
  );
  const root = options.fields === undefined ? base : base.child({ ...options.fields });
  const sampler = new LogSampler(options.sampling ?? defaultLogSampling);
  return Object.assign(new PinoLogger(root, sampler, threshold), {
    setLevel: (level: LogLevel) => void (threshold.level = level),
    flush: () => base.flush(),
  });
}

class PinoLogger extends LevelledLogger {
  readonly #pino: pino.Logger;
  readonly #sampler: LogSampler;
  readonly #threshold: { level: LogLevel };

  constructor(target: pino.Logger, sampler: LogSampler, threshold: { level: LogLevel }) {
    super();
    this.#pino = target;
    this.#sampler = sampler;
    this.#threshold = threshold;
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child({ ...fields }), this.#sampler, this.#threshold);
  }

  protected override get level(): LogLevel {
    return this.#threshold.level;
  }

  protected override write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (!this.#sampler.allows(level, message)) return;
    this.#pino[level](fields === undefined ? {} : jsonSafe(fields), message);
  }
}

/** Errors print as their message; a bigint, which JSON has no form for, as its digits. */
function jsonSafe(fields: LogFields): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value === 'bigint') safe[key] = value.toString();
    else if (value instanceof Error && key !== 'error') safe[key] = value.message;
    else safe[key] = value;
  }
  return safe;
}

function errorField(error: unknown, disableStacktrace: boolean): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? { code: error.code } : {};
  const stack = disableStacktrace ? {} : { stack: error.stack };
  return { message: error.message, ...code, ...stack };
}

/** What every line has, and the fields it may have. */
interface ConsoleFields extends Record<string, unknown> {
  readonly ts: string;
  readonly level: string;
  readonly msg?: string;
}

/** `time<TAB>level<TAB>message<TAB>{fields}`, the reference collector's console encoding. */
function consoleLine(line: string): string {
  const { ts, level, msg, ...fields } = JSON.parse(line) as ConsoleFields;
  const error = fields['error'];
  let stack = '';
  if (error !== null && typeof error === 'object' && 'message' in error) {
    fields['error'] = error.message;
    if ('stack' in error) stack = `${String(error.stack)}\n`;
  }
  const head = `${ts}\t${level}\t${msg ?? ''}`;
  const tail = Object.keys(fields).length === 0 ? '' : `\t${JSON.stringify(fields)}`;
  return `${head}${tail}\n${stack}`;
}

function openOutputs(paths: readonly string[]): DestinationStream {
  const streams = paths.map((path) => {
    if (path === 'stderr') return { level: 'debug' as const, stream: destination({ dest: 2, sync: true }) };
    if (path === 'stdout') return { level: 'debug' as const, stream: destination({ dest: 1, sync: true }) };
    mkdirSync(dirname(path), { recursive: true });
    return { level: 'debug' as const, stream: destination({ dest: path, append: true, sync: true }) };
  });
  const only = streams[0];
  return streams.length === 1 && only !== undefined ? only.stream : multistream(streams);
}
