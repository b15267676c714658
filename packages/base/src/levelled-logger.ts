import type { LogFields, Logger } from './telemetry.ts';

/** Levels in rising order; a logger writes its own and those after it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A logger that drops what is below its level; what becomes of the other lines remains to be said. */
export abstract class LevelledLogger implements Logger {
  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  abstract child(fields: LogFields): Logger;

  /** The lowest level that is written now. */
  protected abstract get level(): LogLevel;

  /** Takes a line that is to be written. */
  protected abstract write(level: LogLevel, message: string, fields: LogFields | undefined): void;

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (rank[level] >= rank[this.level]) this.write(level, message, fields);
  }
}
