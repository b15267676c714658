import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LaunchedClew } from '@clew/testkit';

/** The command `clew`, as a path. */
export const program = fileURLToPath(new URL('../../packages/clew/bin/clew.mjs', import.meta.url));

/** Compiled code is kept between the many processes that tests start: each then starts in half the time. */
const compileCache = fileURLToPath(new URL('../../.cache/compile', import.meta.url));

/** Machines are shared: a condition gets this long unless a caller says otherwise. */
const patienceMs = 30_000;

/** Asks until the answer is there; what is thrown meanwhile is the reason given when it never comes. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = patienceMs): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (caught) {
      lastError = caught;
    }
    await sleep(25);
  } while (performance.now() < deadlineMs);
  throw new Error(`${what} did not happen within ${timeoutMs} ms`, { cause: lastError });
}

/** What a finished process left. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process with its output as it comes. */
export interface RunningCommand {
  readonly process: ChildProcess;
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<CommandOutcome>;
}

/** How a command is run. */
export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** Starts `clew` with these words. */
export function startClew(words: readonly string[], options: CommandOptions = {}): RunningCommand {
  return startProcess(process.execPath, [program, ...words], options);
}

/** Runs `clew` to its end. */
export function runClew(words: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  return startClew(words, options).ended;
}

/** Starts any program, its output kept. */
export function startProcess(file: string, words: readonly string[], options: CommandOptions = {}): RunningCommand {
  const child = spawn(file, words, {
    cwd: options.cwd,
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  child.stdin.on('error', () => undefined); // A program that ends before reading its input shows so by its exit code.
  child.stdin.end(options.input ?? '');
  const ended = new Promise<CommandOutcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { process: child, output, ended };
}

/** The sum of a metric's series that carry all these labels, as `/metrics` shows them; 0 when there is none. */
export async function metric(
  clew: Pick<LaunchedClew, 'queryUrl'>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${clew.queryUrl}/metrics`)).text();
  let sum = 0;
  for (const line of text.split('\n')) {
    const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (sample?.[1] !== name) continue;
    const wanted = Object.entries(labels).every(([key, value]) => sample[2]?.includes(`${key}="${value}"`));
    if (wanted) sum += Number(sample[3]);
  }
  return sum;
}

/** The process id of the embedded engine, once it runs. */
export function enginePid(clew: Pick<LaunchedClew, 'queryUrl'>): Promise<number> {
  return until('an engine with a process id', async () => {
    const graph = (await (await fetch(`${clew.queryUrl}/debug/graph`)).json()) as GraphSnapshot;
    const storage = graph.nodes.find((node) => node.type === 'clew_storage');
    return storage?.details?.engine?.state?.pid;
  });
}

interface GraphSnapshot {
  readonly nodes: readonly {
    readonly type: string;
    readonly details?: { readonly engine?: { readonly state?: { readonly pid?: number } } };
  }[];
}

/** Spans that wait in the journal to be stored are gone from it. */
export async function settled(clew: Pick<LaunchedClew, 'queryUrl'>, timeoutMs = 60_000): Promise<void> {
  await until(
    'an empty journal',
    async () => ((await metric(clew, 'clew_journal_segments')) === 0 ? true : undefined),
    timeoutMs,
  );
}

/** Resolves when a process is gone. */
export function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}
