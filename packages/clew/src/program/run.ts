import { errorMessage } from '@clew/base';
import type { CommandIo } from '../cli/command.ts';
import { ClewError } from '../errors.ts';
import { Program } from './program.ts';
import type { ProgramOptions } from './program.ts';

/** Something that runs beside a program, and ends before it. */
export interface Companion {
  stop(): Promise<unknown>;
}

/**
 * Starts a program, runs it until it is interrupted or fails, and drains it. SIGHUP reloads the configuration.
 *
 * @param onStarted told once everything listens, the companion included
 * @param startCompanion starts what is to run beside the program, once that listens; when it fails the program ends
 * @returns the exit code
 */
export async function runProgram<C extends Companion>(
  options: ProgramOptions,
  io: CommandIo,
  onStarted: (program: Program, companion: C | undefined) => void,
  startCompanion?: () => Promise<C>,
): Promise<number> {
  const program = new Program(options);
  let companion: C | undefined;
  try {
    await program.start();
    companion = await startCompanion?.();
  } catch (caught) {
    await program.stop();
    throw new ClewError('start_failed', errorMessage(caught), { cause: caught });
  }
  const onHangUp = (): void => {
    program
      .reload()
      .catch((caught: unknown) =>
        program.telemetry?.logger.error('The configuration was not reloaded.', { error: caught }),
      );
  };
  process.on('SIGHUP', onHangUp);
  onStarted(program, companion);
  try {
    await Promise.race([program.failed, aborted(io.signal)]);
    return 0;
  } finally {
    process.off('SIGHUP', onHangUp);
    await companion?.stop();
    await program.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
