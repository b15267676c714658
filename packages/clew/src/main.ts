import { errorMessage } from '@clew/base';
import type { Command, CommandIo } from './cli/command.ts';
import { commandHelp, programHelp } from './cli/help.ts';
import { parseInput } from './cli/parse.ts';
import { suggest } from '@clew/base';
import { allInOneCommand } from './commands/all-in-one.ts';
import { collectorCommand } from './commands/collector.ts';
import { configCommand, validateCommand } from './commands/config.ts';
import { debugCommand } from './commands/debug.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { gatewayCommand } from './commands/gateway.ts';
import { sendCommand } from './commands/send.ts';
import { traceCommand } from './commands/trace.ts';
import { ClewError } from './errors.ts';
import { version } from './program/version.ts';

/** Every command but the one that has no name. */
export const commands: readonly Command[] = [
  collectorCommand,
  gatewayCommand,
  validateCommand,
  configCommand,
  sendCommand,
  traceCommand,
  demoCommand,
  debugCommand,
  doctorCommand,
];

/** The program: runs what the words say and resolves to the exit code. SIGINT and SIGTERM end it gently, a second one at once. */
export async function main(words: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const io: CommandIo = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupted.signal,
  };
  try {
    return await runCommand(words, io);
  } catch (caught) {
    io.stderr.write(`clew: ${errorMessage(caught)}\n`);
    return caught instanceof ClewError ? caught.exitCode : 1;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Picks and runs a command; errors are thrown. */
export async function runCommand(words: readonly string[], io: CommandIo): Promise<number> {
  const [first] = words;
  if (first === '--version' || first === 'version') {
    io.stdout.write(`clew ${version}\n`);
    return 0;
  }
  if (first === 'help') return runCommand([...words.slice(1), '--help'], io);
  const named = first === undefined || first.startsWith('-') ? undefined : first;
  const command = named === undefined ? allInOneCommand : findCommand(named);
  const input = parseInput(command, named === undefined ? words : words.slice(1));
  if (!input.help) return command.run(input, io);
  const overview = command === allInOneCommand ? `${programHelp(commands, version)}\n` : '';
  io.stdout.write(overview + commandHelp(command));
  return 0;
}

function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command) return command;
  const near = suggest(
    name,
    commands.map((candidate) => candidate.name),
  );
  throw new ClewError(
    'usage',
    `there is no command "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}\nSee clew --help.`,
  );
}
