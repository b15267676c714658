import { isPlainName, placeholderNames, sqlIdentifier, sqlStringLiteral } from '../sql-text.ts';
import { engineCodes } from '../protocol.ts';
import { EngineFailure } from './engine-failure.ts';
import type { EngineConnection } from './chdb.ts';
import type { ResultPipe } from './result-pipe.ts';

/** What has to hold on the session while a statement runs. */
export interface SessionState {
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Values in the escaped form of `param_<name>`. */
  readonly params: ReadonlyMap<string, string>;
}

/** Free of the limits the failed statement may have exhausted, which still hold on the connection. */
const forgetSql =
  "SELECT 1 SETTINGS log_comment = '', max_execution_time = 0, max_memory_usage = 0, max_result_rows = 0, max_result_bytes = 0";

/**
 * One connection with its settings under control. Settings and parameters live on the connection, so before each
 * statement the difference between what it has and what the statement needs is `SET`: nothing of one statement reaches the
 * next. `SET name = DEFAULT` goes back to the engine's built-in value, not to the one given at the start, which is
 * why the base settings are part of every statement's state.
 */
export class EngineSession {
  readonly name: string;
  readonly pipe: ResultPipe | undefined;
  readonly #connection: EngineConnection;
  #settings = new Map<string, string>();
  #params = new Map<string, string>();
  #database = 'default';

  constructor(name: string, connection: EngineConnection, pipe?: ResultPipe) {
    this.name = name;
    this.pipe = pipe;
    this.#connection = connection;
  }

  /** Brings the session into the state a statement needs, then runs it and gives its result. */
  async run(sql: string, state: SessionState, format: string): Promise<Uint8Array> {
    refuseUnsetParameters(sql, state.params);
    await this.#apply(state);
    try {
      return await this.#connection.run(sql, format);
    } catch (caught) {
      await this.#forgetFailed();
      throw caught;
    }
  }

  /**
   * The library keeps a failed statement, its memory and its entry in `system.processes` until the connection runs another
   * one. A statement that cannot fail makes it let go; its own comment keeps a late KILL of the failed one from hitting it.
   */
  async #forgetFailed(): Promise<void> {
    try {
      await this.#connection.run(forgetSql, 'Null');
    } catch (caught) {
      // The failure being reported matters more; the next statement of this session shows whether it is of any use.
      console.error(`Session ${this.name} failed after a failed statement: ${String(caught)}`);
    }
  }

  close(): void {
    this.#connection.close();
  }

  async #apply(state: SessionState): Promise<void> {
    if (state.database !== this.#database) {
      await this.#connection.run(`USE ${sqlIdentifier(state.database)}`, 'Null');
      this.#database = state.database;
    }
    const changes = [...settingChanges(this.#settings, state.settings), ...paramChanges(this.#params, state.params)];
    if (changes.length === 0) return;
    try {
      await this.#connection.run(`SET ${changes.join(', ')}`, 'Null');
    } catch (caught) {
      // Settings of a failed SET are not applied, none of them; of parameters nothing is known, so all are sent again.
      this.#params = new Map();
      throw caught;
    }
    this.#settings = new Map(state.settings);
    this.#params = new Map(state.params);
  }
}

function refuseUnsetParameters(sql: string, params: ReadonlyMap<string, string>): void {
  // A parameter of an earlier statement must never fill in for one that was forgotten.
  for (const name of placeholderNames(sql)) {
    if (!params.has(name)) {
      const code = engineCodes.unknownQueryParameter;
      throw new EngineFailure(
        `Code: ${code}. DB::Exception: Substitution \`${name}\` is not set. (UNKNOWN_QUERY_PARAMETER)`,
        code,
      );
    }
  }
}

function settingChanges(current: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): string[] {
  const changes: string[] = [];
  for (const [name, value] of wanted) {
    if (current.get(name) !== value) changes.push(`${checkedName(name)} = ${sqlStringLiteral(value)}`);
  }
  for (const name of current.keys()) if (!wanted.has(name)) changes.push(`${checkedName(name)} = DEFAULT`);
  return changes;
}

function paramChanges(current: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): string[] {
  const changes: string[] = [];
  for (const [name, value] of wanted) {
    if (current.get(name) !== value) changes.push(`param_${checkedName(name)} = ${sqlStringLiteral(value)}`);
  }
  // Parameters cannot be removed; emptied they hold no memory, and refuseUnsetParameters keeps them from being read.
  for (const [name, value] of current) {
    if (!wanted.has(name) && value !== '') changes.push(`param_${checkedName(name)} = ''`);
  }
  return changes;
}

function checkedName(name: string): string {
  if (!isPlainName(name)) {
    throw new EngineFailure(
      `Code: 115. DB::Exception: ${JSON.stringify(name)} cannot be the name of a setting or parameter. (UNKNOWN_SETTING)`,
      115,
    );
  }
  return name;
}
