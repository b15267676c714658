import { formatPosition } from '../kdl/position.ts';
import type { ConfigProblem } from '../kdl/problem.ts';
import type { LoadedConfig } from './load.ts';
import type { GatewayConfig } from './model.ts';

/** How the process ends, for whoever started it. */
export const exitCodes = { ok: 0, configuration: 1, startFailed: 2 } as const;

/** What a command prints, and its exit code. */
export interface CommandReport {
  readonly text: string;
  readonly exitCode: number;
}

/** All problems as text: errors as a numbered list with their total, then warnings. Empty for none. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  const parts: string[] = [];
  if (errors.length > 0) {
    const items = errors.map((problem, index) =>
      formatItem(problem, `${index + 1}.`, String(errors.length).length + 1),
    );
    parts.push(`Configuration has ${count(errors.length, 'issue')}:\n\n${items.join('\n')}`);
  }
  if (warnings.length > 0) {
    const items = warnings.map((problem) => formatItem(problem, '-', 1));
    parts.push(`${count(warnings.length, 'warning')}:\n\n${items.join('\n')}`);
  }
  return parts.join('\n\n');
}

/** One problem on one line: `file:line:column: message`. */
export function formatProblem({ message, position }: ConfigProblem): string {
  return position === undefined ? message : `${formatPosition(position)}: ${message}`;
}

function formatItem(problem: ConfigProblem, mark: string, markWidth: number): string {
  const indent = ' '.repeat(markWidth + 3);
  const { position, excerpt, help } = problem;
  const lines = [`  ${mark.padStart(markWidth)} ${headline(problem)}`];
  if (excerpt !== undefined && position !== undefined) {
    lines.push(`${indent}--> ${position.file} at line ${position.line}, column ${position.column}`);
    lines.push(...excerpt.split('\n').map((line) => `${indent}${line}`.trimEnd()));
  }
  if (help !== undefined) {
    const [first, ...rest] = help.split('\n');
    lines.push(`${indent}help: ${first}`, ...rest.map((line) => `${indent}  ${line}`.trimEnd()));
  }
  return lines.join('\n');
}

/** A syntax error has a title of its own; its place follows on the next line. */
function headline(problem: ConfigProblem): string {
  const { excerpt, position, message } = problem;
  return excerpt !== undefined && position !== undefined
    ? `${position.file} is not valid KDL: ${message}`
    : formatProblem(problem);
}

/** What `--test` prints: one line that names the file and counts, or the report. Warnings never fail. */
export function testReport(name: string, { config, problems }: LoadedConfig): CommandReport {
  const details = formatProblems(problems);
  if (config === undefined) return { text: `${details}\n`, exitCode: exitCodes.configuration };
  const line = `Configuration ${name} is valid: ${countsOf(config)}`;
  return { text: `${details === '' ? line : `${line}\n\n${details}`}\n`, exitCode: exitCodes.ok };
}

/** What `validate` and `lint` print once the configuration itself has loaded; errors fail, warnings do not. */
export function checkReport(name: string, what: string, problems: readonly ConfigProblem[]): CommandReport {
  const failed = problems.some(({ severity }) => severity === 'error');
  const details = formatProblems(problems);
  if (details === '') return { text: `Configuration ${name}: ${what} found nothing to say\n`, exitCode: exitCodes.ok };
  const line = failed ? `Configuration ${name} failed` : `Configuration ${name} passed`;
  return { text: `${line} (${what})\n\n${details}\n`, exitCode: failed ? exitCodes.configuration : exitCodes.ok };
}

/** `1 listener, 2 routes, …`. */
export function countsOf({ listeners, routes, upstreams, agents, filters }: GatewayConfig): string {
  return [
    count(listeners.length, 'listener'),
    count(routes.length, 'route'),
    count(upstreams.size, 'upstream'),
    count(agents.size, 'agent'),
    count(filters.size, 'filter'),
  ].join(', ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
