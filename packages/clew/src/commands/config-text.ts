import { silentTelemetry } from '@clew/base';
import { componentKinds, formatProblem, printConfig, resolveTree, validateConfig } from '@clew/pipeline';
import type { LoadOptions } from '@clew/pipeline';
import { stringify } from 'yaml';
import type { CommandIo } from '../cli/command.ts';
import { createRegistry } from '../program/registry.ts';
import { idleView } from '../program/idle-view.ts';
import { version } from '../program/version.ts';

type Sources = Omit<LoadOptions, 'registry'>;

/** Prints the resolved configuration; secrets are never shown. */
export async function configText(
  config: Sources,
  io: CommandIo,
  options: { readonly defaults: boolean; readonly origins: boolean },
): Promise<number> {
  const registry = createRegistry(idleView);
  const resolved = await resolveTree(config);
  if (!resolved.ok) {
    for (const problem of resolved.error) io.stderr.write(`${formatProblem(problem)}\n`);
    return 1;
  }
  io.stdout.write(printConfig(resolved.value.tree, { registry, ...options }));
  return 0;
}

/** Checks a configuration without starting anything; says for each receiver what its acknowledgement means. */
export async function validateText(
  config: Sources,
  io: CommandIo,
  options: { readonly quiet: boolean },
): Promise<number> {
  const registry = createRegistry(idleView);
  const { problems, acknowledgements } = await validateConfig({ ...config, registry }, silentTelemetry);
  for (const problem of problems)
    io.stderr.write(`${problem.severity === 'error' ? '' : 'warning: '}${formatProblem(problem)}\n`);
  if (problems.some((problem) => problem.severity === 'error')) return 1;
  if (!options.quiet) {
    io.stdout.write('The configuration is valid.\n');
    for (const { receiver, text } of acknowledgements) io.stdout.write(`  ${receiver}: ${text}\n`);
  }
  return 0;
}

/** The components this program is built with, as YAML. */
export function componentsText(): string {
  const registry = createRegistry(idleView);
  const entries = componentKinds.map((kind) => {
    const list = registry.list().filter((factory) => factory.kind === kind);
    return [`${kind}s`, list.map(({ type, stability }) => ({ name: type, module: `@clew ${version}`, stability }))];
  });
  return stringify({ buildinfo: { command: 'clew', version }, ...Object.fromEntries(entries) });
}
