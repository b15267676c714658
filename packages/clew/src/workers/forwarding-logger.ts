import { LevelledLogger } from '@clew/base';
import type { LogFields, LogLevel, Logger } from '@clew/base';
import { failureData } from './protocol.ts';
import type { WorkerMessage } from './protocol.ts';

/** A logger whose lines are written by the main thread, so that level, sampling and outputs are those of the program. */
export class ForwardingLogger extends LevelledLogger {
  readonly #post: (message: WorkerMessage) => void;
  protected override readonly level: LogLevel;
  readonly #fields: LogFields;

  constructor(post: (message: WorkerMessage) => void, level: LogLevel, fields: LogFields = {}) {
    super();
    this.#post = post;
    this.level = level;
    this.#fields = fields;
  }

  child(fields: LogFields): Logger {
    return new ForwardingLogger(this.#post, this.level, { ...this.#fields, ...fields });
  }

  protected override write(level: LogLevel, message: string, fields: LogFields = {}): void {
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
