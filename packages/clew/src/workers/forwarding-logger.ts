import type { LogFields, Logger } from '@clew/base';
import { failureData } from './protocol.ts';
import type { WorkerMessage, WorkerSetup } from './protocol.ts';

type Level = WorkerSetup['logLevel'];

const rank: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A logger whose lines are written by the main thread, so that level, sampling and outputs are those of the program. */
export class ForwardingLogger implements Logger {
  readonly #post: (message: WorkerMessage) => void;
  readonly #level: Level;
  readonly #fields: LogFields;

  constructor(post: (message: WorkerMessage) => void, level: Level, fields: LogFields = {}) {
    this.#post = post;
    this.#level = level;
    this.#fields = fields;
  }

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

  child(fields: LogFields): Logger {
    return new ForwardingLogger(this.#post, this.#level, { ...this.#fields, ...fields });
  }

  #log(level: Level, message: string, fields: LogFields = {}): void {
    if (rank[level] < rank[this.#level]) return;
    this.#post({ kind: 'log', level, message, fields: plainFields({ ...this.#fields, ...fields }) });
  }
}

/** Errors become their text, and whatever else cannot leave the thread its string form. */
function plainFields(fields: LogFields): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) plain[name] = failureData(value);
    else if (value === null || ['string', 'number', 'bigint', 'boolean', 'undefined'].includes(typeof value))
      plain[name] = value;
    else plain[name] = JSON.stringify(value);
  }
  return plain;
}
