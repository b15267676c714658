import { availableParallelism } from 'node:os';
import { ClewError } from '../errors.ts';
import type { CommandInput, CommandIo, CommandOption } from '../cli/command.ts';

/** More threads than this are a typing error. */
const maxWorkers = 256;

/** How many edge workers a program runs, and whether somebody asked for that number. */
export interface WorkerCount {
  readonly count: number;
  readonly asked: boolean;
}

/** The option of commands that run a program. */
export const workersOption: CommandOption = {
  type: 'string',
  value: 'N',
  help: 'Threads that receive and decode (CLEW_WORKERS; default half the cores). With 1 everything runs in one thread.',
};

/** Reads `--workers`, else `CLEW_WORKERS`, else takes half the cores. Throws `usage`. */
export function workerCount(input: CommandInput, io: CommandIo, cores: number = availableParallelism()): WorkerCount {
  const option = input.text('workers');
  const text = option ?? io.env['CLEW_WORKERS'];
  if (text === undefined || (option === undefined && text === ''))
    return { count: Math.max(1, Math.floor(cores / 2)), asked: false };
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= maxWorkers) return { count, asked: true };
  const name = option === undefined ? 'CLEW_WORKERS' : '--workers';
  throw new ClewError('usage', `${name} is ${JSON.stringify(text)}; it must be a whole number from 1 to ${maxWorkers}`);
}
