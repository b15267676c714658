import { resolve } from 'node:path';
import { parseYaml, resolveTree } from '@clew/pipeline';
import type { ConfigNode } from '@clew/pipeline';
import { addressesOf } from '../all-in-one/addresses.ts';
import { banner } from '../all-in-one/banner.ts';
import { builtInConfig, builtInSource } from '../all-in-one/built-in-config.ts';
import { loadPage } from '../all-in-one/page.ts';
import type { OptionalPart } from '../all-in-one/ports.ts';
import { takenParts } from '../all-in-one/taken-parts.ts';
import type { Command, CommandInput, CommandIo } from '../cli/command.ts';
import { ClewError } from '../errors.ts';
import { gatewayBeside } from './gateway.ts';
import { runProgram } from '../program/run.ts';
import { version } from '../program/version.ts';
import { workerCount, workersOption } from '../workers/worker-count.ts';

/** Options that shape the built-in configuration, shared with `clew config` and `clew validate`. */
export const builtInOptions = {
  data: { type: 'string', value: 'DIR', help: 'Where data lives (CLEW_DATA; default ./clew-data).' },
  listen: { type: 'string', value: 'HOST', help: 'Address to listen on (CLEW_LISTEN_HOST; default 127.0.0.1).' },
  config: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    help: 'Merge this collector configuration over the built-in one; may be repeated.',
  },
  set: { type: 'string', value: 'a.b=VALUE', multiple: true, help: 'Override one setting; may be repeated.' },
  small: { type: 'boolean', help: 'Use less memory (about 600 MB) at the price of slower queries.' },
} as const;

/** `clew` without a command: everything in one program. */
export const allInOneCommand: Command = {
  name: '',
  summary: 'Run everything: receive, store, query, show.',
  usage:
    '[--data DIR] [--listen HOST] [--config FILE]… [--set a.b=VALUE]… [--small] [--workers N] [--gateway FILE.kdl]',
  options: {
    ...builtInOptions,
    workers: workersOption,
    gateway: { type: 'string', value: 'FILE.kdl', help: 'Run a tracing reverse proxy, too, as this file says.' },
  },
  examples: [
    'clew',
    'clew --data /var/lib/clew --listen 0.0.0.0',
    'clew --set extensions.clew_storage.retention.max_age=72h',
  ],
  async run(input, io) {
    const startedMs = performance.now() - process.uptime() * 1000;
    const workers = workerCount(input, io);
    const gateway = await gatewayBeside(input.text('gateway'), io);
    const where = placeOf(input, io);
    const taken = await partsTaken(input, io);
    const without = taken.map(({ part }) => part);
    const warnings = [...exposureWarnings(where.listenHost), ...taken.map(({ warning }) => warning)];
    const page = await loadPage();
    const options = {
      config: builtInSources(input, io, without),
      metricsPortRequired: false,
      demo: true,
      workers,
      ...(page ? { page } : {}),
    };
    return runProgram(
      options,
      io,
      (program, beside) => {
        const startedInMs = performance.now() - startedMs;
        io.stdout.write(
          banner({
            version,
            addresses: addressesOf(program.service?.snapshot()),
            ...(beside === undefined ? {} : { gateway: beside.urls }),
            startedInMs,
            acknowledgements: program.acknowledgements(),
            warnings,
          }),
        );
      },
      gateway,
    );
  },
};

/** The built-in configuration with what the user put over it. */
export function builtInSources(input: CommandInput, io: CommandIo, without: readonly OptionalPart[] = []) {
  const text = builtInConfig({ ...placeOf(input, io), small: input.flag('small'), without });
  return { base: parsed(text), sources: input.list('config'), sets: input.list('set'), env: io.env };
}

function placeOf(input: CommandInput, io: CommandIo): { readonly listenHost: string; readonly dataDirectory: string } {
  return {
    listenHost: input.text('listen') ?? io.env['CLEW_LISTEN_HOST'] ?? '127.0.0.1',
    dataDirectory: resolve(input.text('data') ?? io.env['CLEW_DATA'] ?? 'clew-data'),
  };
}

function parsed(text: string): ConfigNode {
  const yaml = parseYaml(text, builtInSource);
  if (yaml.ok) return yaml.root;
  throw new ClewError(
    'start_failed',
    `the built-in configuration is no YAML: ${yaml.problems[0]?.message ?? 'unknown problem'}`,
  );
}

function exposureWarnings(host: string): string[] {
  if (['127.0.0.1', '::1', 'localhost'].includes(host)) return [];
  return [`listening on ${host} without a token: anybody who reaches this machine can send and read spans`];
}

/** Optional parts that cannot start; none when the configuration cannot be read, for the start then says why. */
async function partsTaken(input: CommandInput, io: CommandIo) {
  const resolved = await resolveTree(builtInSources(input, io));
  return resolved.ok ? takenParts(resolved.value.tree) : [];
}
