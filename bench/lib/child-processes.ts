import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that runs, and the message in which it said that it is ready. */
export interface Forked<T> {
  readonly child: ChildProcess;
  readonly said: T;
}

const children: ChildProcess[] = [];
// Whatever goes wrong, nothing is left behind.
process.once('exit', () => {
  for (const child of children) child.kill('SIGTERM');
});

/** Has a process ended with this one at the latest. */
export function notLeftBehind<Child extends ChildProcess>(child: Child): Child {
  children.push(child);
  return child;
}

/** Starts a script as a process of its own and waits for its first message; it is not left behind. */
export async function forked<T>(script: URL, args: readonly string[] = []): Promise<Forked<T>> {
  const child = notLeftBehind(fork(script, args));
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${fileURLToPath(script)} ended before it said that it is ready`);
  });
  // It ends some time: that is an error only for who still waits here.
  ended.catch(() => undefined);
  const [said] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return { child, said };
}

/** Ends all that are not left behind, the last started first, so that nobody loses what it depends on. */
export async function endChildren(): Promise<void> {
  for (const child of children.splice(0).toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    if (child.connected) child.disconnect();
    else child.kill('SIGTERM');
    await ended;
  }
}

/** Runs a script with a task, as JSON, in a process of its own; what it writes is its answer. */
export async function answerOf<Task, Answer>(script: URL, task: Task): Promise<Answer> {
  const child = notLeftBehind(
    spawn(process.execPath, [fileURLToPath(script), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  let output = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${fileURLToPath(script)} ended with ${code ?? child.signalCode}`);
  return JSON.parse(output) as Answer;
}
