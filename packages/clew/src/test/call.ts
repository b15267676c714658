// Calls of the program within the process of a test.
import { ClewError } from '../errors.ts';
import { runCommand } from '../main.ts';

/** What a call left. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a call prints and ends with; a thrown error is printed as `main` does. */
export async function call(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const printed = { stdout: '', stderr: '' };
  const io = {
    stdout: { write: (text: string) => (printed.stdout += text) },
    stderr: { write: (text: string) => (printed.stderr += text) },
    env,
    signal: new AbortController().signal,
  };
  try {
    return { code: await runCommand(words, io), ...printed };
  } catch (caught) {
    if (!(caught instanceof ClewError)) throw caught;
    return { code: caught.exitCode, ...printed, stderr: `${printed.stderr}clew: ${caught.message}` };
  }
}
