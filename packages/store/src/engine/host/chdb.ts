// The only module that loads the engine's library, and only ever in the engine's own process.
import { Session } from 'chdb';
import { EngineFailure } from './engine-failure.ts';

/** One connection of the embedded engine. It runs one statement at a time. */
export interface EngineConnection {
  /** Runs a statement off this thread and gives its whole result. Fails with an EngineFailure. */
  run(sql: string, format: string): Promise<Uint8Array>;
  /** Closes the connection. Only when nothing runs any more in the process, that is at exit. */
  close(): void;
}

/** Opens a connection on a directory; all connections of the process share the directory and its configuration. */
export function openConnection(directory: string, connectionArguments: readonly string[]): EngineConnection {
  const session = new Session(directory, { connectionArgs: connectionArguments });
  return {
    async run(sql, format) {
      try {
        const result = await session.queryAsync(sql, { format });
        return result.bytes();
      } catch (caught) {
        throw asFailure(caught);
      }
    },
    close: () => session.close(),
  };
}

function asFailure(caught: unknown): EngineFailure {
  const message = caught instanceof Error ? caught.message : String(caught);
  const code = /^\s*Code: (\d+)\./.exec(message)?.[1];
  return new EngineFailure(message.trim(), code === undefined ? undefined : Number(code), caught);
}
