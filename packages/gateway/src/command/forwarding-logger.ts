import type { LogFields, LogLevel, Logger } from '@clew/base';

/** A line on its way to the log: plain data that can leave its thread. */
export interface ForwardedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger whose lines are written elsewhere, so that level, look and place are those of the gateway. */
export function forwardingLogger(write: (line: ForwardedLine) => void, fields: LogFields = {}): Logger {
  const at =
    (level: ForwardedLine['level']) =>
    (message: string, more: LogFields = {}): void =>
      write({ level, message, fields: plainFields({ ...fields, ...more }) });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => forwardingLogger(write, { ...fields, ...more }),
  };
}

/** What cannot leave a thread becomes text. */
function plainFields(fields: LogFields): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) plain[name] = value.stack ?? value.message;
    else plain[name] = typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
  }
  return plain;
}
