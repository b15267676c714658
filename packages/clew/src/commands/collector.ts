import type { Command, CommandInput, CommandIo } from '../cli/command.ts';
import { runProgram } from '../program/run.ts';
import { loadPage } from '../all-in-one/page.ts';
import { componentsText, configText, validateText } from './config-text.ts';
import { ClewError } from '../errors.ts';
import { workerCount, workersOption } from '../workers/worker-count.ts';

const options = {
  config: {
    type: 'string',
    value: 'URI',
    multiple: true,
    help: 'A configuration: a file, or file:, env:, yaml:, http(s): and what follows; may be repeated, later ones win.',
  },
  set: { type: 'string', value: 'a.b=VALUE', multiple: true, help: 'Override one setting; may be repeated.' },
  workers: workersOption,
} as const;

const actions = ['validate', 'components', 'print-config'] as const;

/** `clew collector`: pipelines as an OpenTelemetry Collector configuration says, and nothing else. */
export const collectorCommand: Command = {
  name: 'collector',
  summary: 'Run the pipelines of an OpenTelemetry Collector configuration.',
  usage: 'collector --config FILE [--set a.b=VALUE]… [--workers N] [validate | components | print-config]',
  options,
  examples: [
    'clew collector --config otel-collector-config.yaml',
    'clew collector validate --config config.yaml',
    'clew collector components',
  ],
  positionals: { min: 0, max: 1 },
  async run(input, io) {
    const action = input.positionals[0];
    if (action === 'components') {
      io.stdout.write(componentsText());
      return 0;
    }
    const config = collectorSources(input, io);
    if (action === 'validate') return validateText(config, io, { quiet: true });
    if (action === 'print-config') return configText(config, io, { defaults: false, origins: false });
    if (action !== undefined)
      throw new ClewError('usage', `"${action}" is unknown; it must be one of ${actions.join(', ')}`);
    const page = await loadPage();
    return runProgram(
      { config, metricsPortRequired: true, demo: false, workers: workerCount(input, io), ...(page ? { page } : {}) },
      io,
      () => undefined,
    );
  },
};

/** Sources as the options name them. */
export function collectorSources(input: CommandInput, io: CommandIo) {
  return { sources: input.list('config'), sets: input.list('set'), env: io.env };
}
