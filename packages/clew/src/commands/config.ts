import type { Command } from '../cli/command.ts';
import { builtInOptions, builtInSources } from './all-in-one.ts';
import { configText, validateText } from './config-text.ts';
import { collectorSources } from './collector.ts';

/** `clew config`: what would run. */
export const configCommand: Command = {
  name: 'config',
  summary: 'Print the configuration that would run, with what was put over the built-in one.',
  usage: 'config [--data DIR] [--config FILE]… [--set a.b=VALUE]… [--defaults] [--origins]',
  options: {
    ...builtInOptions,
    defaults: { type: 'boolean', help: 'Also print settings nobody wrote.' },
    origins: { type: 'boolean', help: 'Say behind each value where it was written.' },
  },
  examples: [
    'clew config',
    'clew config --defaults --origins',
    'clew config > clew.yaml && clew collector --config clew.yaml',
  ],
  run: (input, io) =>
    configText(builtInSources(input, io), io, { defaults: input.flag('defaults'), origins: input.flag('origins') }),
};

/** `clew validate`: whether a configuration would run. */
export const validateCommand: Command = {
  name: 'validate',
  summary: 'Check a collector configuration without starting anything; without FILE, the all-in-one’s.',
  usage: 'validate [FILE]… [--set a.b=VALUE]…',
  options: builtInOptions,
  examples: ['clew validate otel-collector-config.yaml', 'clew validate --config my-overrides.yaml'],
  positionals: { min: 0, max: Number.POSITIVE_INFINITY },
  run(input, io) {
    if (input.positionals.length === 0) return validateText(builtInSources(input, io), io, { quiet: false });
    const sources = { ...collectorSources(input, io), sources: [...input.positionals, ...input.list('config')] };
    return validateText(sources, io, { quiet: false });
  },
};
