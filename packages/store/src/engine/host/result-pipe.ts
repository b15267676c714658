import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sqlStringLiteral } from '../sql-text.ts';

/**
 * A named pipe through which one session's results leave the engine while they are produced.
 *
 * The library's own streaming call plans the query, sub-queries included, on the calling thread, which would stop the whole
 * engine process for seconds; and it writes headers and footers of text formats once per chunk. `INTO OUTFILE` into a named
 * pipe runs entirely on the engine's threads, and the kernel's pipe buffer is the back-pressure.
 */
export class ResultPipe {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The clause that sends a statement's result here. `APPEND` because the file exists and must not be replaced. */
  outfileClause(format: string): string {
    return `\nINTO OUTFILE ${sqlStringLiteral(this.#path)} APPEND FORMAT ${format}`;
  }

  /**
   * Opens the reading end. It must stay open until the statement has settled, else the engine could block for good opening
   * the pipe: whoever loses interest drains it (`stream.resume()`). `finish` ends the stream once all written bytes are read.
   */
  open(): { readonly stream: Socket; finish(): void } {
    const readEnd = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    // A writer of our own keeps the stream from ending before the engine has opened the pipe.
    const writeEnd = openSync(this.#path, constants.O_WRONLY | constants.O_NONBLOCK);
    const stream = new Socket({ fd: readEnd, readable: true, writable: false });
    return { stream, finish: () => closeSync(writeEnd) };
  }
}

/** Makes named pipes in a directory, or gives undefined where the system has no `mkfifo` command. */
export async function makeResultPipes(directory: string, count: number): Promise<ResultPipe[] | undefined> {
  const paths = Array.from({ length: count }, (_, index) => join(directory, `result-${index}.pipe`));
  for (const path of paths) rmSync(path, { force: true });
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
  } catch (caught) {
    if (caught instanceof Error && 'code' in caught && caught.code === 'ENOENT') return undefined;
    throw caught;
  }
  return paths.map((path) => new ResultPipe(path));
}
