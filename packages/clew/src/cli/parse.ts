import { parseArgs } from 'node:util';
import { ClewError } from '../errors.ts';
import { errorMessage } from '@clew/base';
import type { Command, CommandInput } from './command.ts';

/** Reads the words after a command's name by its option table; a wrong word is a `usage` error that names the help. */
export function parseInput(command: Command, words: readonly string[]): CommandInput & { readonly help: boolean } {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, option] of Object.entries(command.options)) {
    options[name] = {
      type: option.type,
      ...(option.short ? { short: option.short } : {}),
      ...(option.multiple ? { multiple: true } : {}),
    };
  }
  let parsed;
  try {
    parsed = parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (caught) {
    throw usage(command, errorMessage(caught).split('. To specify')[0]!);
  }
  const { values, positionals } = parsed;
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  const help = values['help'] === true;
  if (!help && positionals.length < min) throw usage(command, `clew ${command.usage.split(' ')[0]} needs more words`);
  if (!help && positionals.length > max) throw usage(command, `unexpected "${positionals[max]}"`);
  return {
    help,
    positionals,
    text(name) {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    list(name) {
      const value = values[name];
      return Array.isArray(value) ? value.map(String) : [];
    },
    flag: (name) => values[name] === true,
  };
}

function usage(command: Command, what: string): ClewError {
  const name = command.name === '' ? '' : `${command.name} `;
  return new ClewError('usage', `${what.replace(/\.$/, '')}.\nUsage: clew ${command.usage}\nSee clew ${name}--help.`);
}
