import { configPath, configPathVariables } from '../config/config-path.ts';
import { lintCommand, testCommand, validateCommand } from '../config/commands.ts';
import type { ValidateOptions } from '../config/commands.ts';
import type { ConfigIo } from '../config/io.ts';
import { exitCodes } from '../config/report.ts';
import type { CommandReport } from '../config/report.ts';
import { GatewayProgram } from './gateway-program.ts';
import { GatewayError } from '../errors.ts';

/** What is done with a configuration. */
export type GatewayAction = 'run' | 'test' | 'validate' | 'lint';

/** A call of the gateway's command. */
export interface GatewayCall {
  readonly action: GatewayAction;
  /** The file of the command line; absent = the environment's. */
  readonly config?: string;
  readonly validate?: ValidateOptions;
}

/** What the command writes to, and when it is to end. */
export interface GatewayCommandIo {
  readonly io: ConfigIo;
  readonly version: string;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Aborts when the gateway is to stop. */
  readonly signal: AbortSignal;
  /** Told once requests are taken. */
  readonly onReady?: (program: GatewayProgram) => void;
}

/** Does what the call says and resolves to the exit code: 0 all well, 1 bad configuration or cut requests, 2 could not start. */
export async function gatewayCommand(call: GatewayCall, io: GatewayCommandIo): Promise<number> {
  const path = configPath(call.config, io.io.env);
  if (path === undefined) {
    io.stderr(`No configuration: name one with --config FILE, or in ${configPathVariables.join(' or ')}.\n`);
    return exitCodes.configuration;
  }
  if (call.action === 'run') return runGateway(path, io);
  const report = await reportOf(call, path, io.io);
  (report.exitCode === exitCodes.ok ? io.stdout : io.stderr)(report.text);
  return report.exitCode;
}

function reportOf({ action, validate }: GatewayCall, path: string, io: ConfigIo): Promise<CommandReport> {
  if (action === 'validate') return validateCommand(path, io, validate);
  return action === 'lint' ? lintCommand(path, io) : testCommand(path, io);
}

/** Runs until `signal`. SIGHUP loads the configuration again, SIGUSR1 opens the log files anew. */
async function runGateway(path: string, { io, version, stderr, signal, onReady }: GatewayCommandIo): Promise<number> {
  const program = new GatewayProgram({ path, io, version, stderr });
  const endSignals = followSignals(program);
  try {
    await program.start();
  } catch (error) {
    endSignals();
    if (!(error instanceof GatewayError)) throw error;
    stderr(`${error.message}\n`);
    return error.code === 'configuration' ? exitCodes.configuration : exitCodes.startFailed;
  }
  onReady?.(program);
  try {
    await aborted(signal);
    // Signals are heeded to the very end: what they do to a process that does not would cut requests that are being finished.
    return (await program.stop()) ? exitCodes.ok : 1;
  } finally {
    endSignals();
  }
}

/** Reloads and reopens by signal, also while the program starts; the returned function ends it. */
export function followSignals(program: GatewayProgram): () => void {
  const reload = (): void => void program.reload();
  const reopen = (): void => program.reopenLogs();
  const ignore = (): void => program.ignoreSignal('SIGUSR2');
  process.on('SIGHUP', reload).on('SIGUSR1', reopen).on('SIGUSR2', ignore);
  return () => void process.off('SIGHUP', reload).off('SIGUSR1', reopen).off('SIGUSR2', ignore);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
