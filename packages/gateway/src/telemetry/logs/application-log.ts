import type { LogLevel as BaseLevel } from '@clew/base';
import { createLogger } from '@clew/base/node';
import type { RootLogger } from '@clew/base/node';
import type { LogLevel, LoggingConfig } from '../../config/model/observability.ts';
import { escapeControls, jsonLine } from './json-line.ts';

/** What every line of the logger has. */
interface PlainLine extends Record<string, unknown> {
  readonly ts: string;
  readonly level: string;
  readonly msg?: string;
}

/** How lines look. */
export type ApplicationLogSettings = Pick<LoggingConfig, 'level' | 'format' | 'timestamps'>;

/** The most detailed level of the configuration has no name of its own here. */
export function levelOf(level: LogLevel): BaseLevel {
  return level === 'trace' ? 'debug' : level;
}

/**
 * The log of the gateway itself. `write` takes whole lines. `settings` is asked for every line, so that a reload changes the look of
 * the lines of everybody who holds the logger; levels change by `setLevel`.
 */
export function createApplicationLog(
  settings: () => ApplicationLogSettings,
  write: (line: string) => void,
): RootLogger {
  return createLogger({
    level: levelOf(settings().level),
    encoding: 'json',
    write: (line) => write(formatLine(JSON.parse(line) as PlainLine, settings())),
  });
}

function formatLine(plain: PlainLine, { format, timestamps }: ApplicationLogSettings): string {
  const { ts, level, msg = '', target = 'gateway', ...fields } = plain;
  if (format === 'json')
    return jsonLine({ timestamp: timestamps ? ts : undefined, level, target, message: msg, ...fields });
  const shown = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`,
  );
  return `${timestamps ? `${ts} ` : ''}${level.toUpperCase().padStart(5)} ${String(target)}: ${escapeControls(msg)}${shown.join('')}\n`;
}

function quoted(value: string): string {
  return /^[\w.:/@+-]+$/.test(value) ? value : escapeControls(JSON.stringify(value));
}
