import type { Command, CommandOption } from './command.ts';

/** Width of the left column of option and command lists. */
const LEFT_COLUMN = 26;

/** `text` broken into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** One row of a two-column list; a long left side gets a line of its own. */
function row(left: string, right: string): string {
  const lines = wrap(right, 78 - LEFT_COLUMN);
  const indent = ' '.repeat(LEFT_COLUMN);
  if (left.length + 2 > LEFT_COLUMN - 1) return [`  ${left}`, ...lines.map((l) => indent + l)].join('\n');
  return `  ${left}`.padEnd(LEFT_COLUMN) + lines.join(`\n${indent}`);
}

function optionRow(name: string, option: CommandOption): string {
  const value = option.type === 'string' ? ` ${option.value ?? 'TEXT'}` : '';
  return row(`${option.short ? `-${option.short}, ` : ''}--${name}${value}`, option.help);
}

/** Help of one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => optionRow(name, option));
  return [
    `Usage: clew ${command.usage}`,
    '',
    ...wrap(command.summary, 78),
    ...(command.description ? ['', command.description.trim()] : []),
    '',
    'Options:',
    ...options,
    optionRow('help', { type: 'boolean', short: 'h', help: 'Show this text.' }),
    ...(command.examples?.length ? ['', 'Examples:', ...command.examples.map((e) => `  ${e}`)] : []),
    '',
  ].join('\n');
}

/** Help of the program: what it is, its commands, where to look next. */
export function programHelp(commands: readonly Command[], version: string): string {
  return [
    `Clew ${version}: distributed tracing as one program.`,
    '',
    'Usage: clew [options]            run everything: receive, store, query, show',
    '       clew COMMAND [options]',
    '',
    'Commands:',
    ...commands.map((command) => row(command.name, command.summary)),
    '',
    'clew COMMAND --help shows a command’s options; those of running everything follow.',
    '',
  ].join('\n');
}
