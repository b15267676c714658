/** One option of a command, as `parseArgs` of node:util understands it, and as help shows it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What the value is called in help, e.g. `DIR`. */
  readonly value?: string;
  readonly help: string;
}

/** Parsed words of a call. */
export interface CommandInput {
  readonly positionals: readonly string[];
  /** A single string option, or undefined. */
  text(name: string): string | undefined;
  /** All values of a repeatable option. */
  list(name: string): readonly string[];
  /** Whether a boolean option was given. */
  flag(name: string): boolean;
}

/** What a command writes to and learns from; tests give their own. */
export interface CommandIo {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted on SIGINT and SIGTERM: finish and return. */
  readonly signal: AbortSignal;
}

/** A subcommand of `clew`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The call's form, without the program's name. */
  readonly usage: string;
  /** Paragraphs of help below the usage line. */
  readonly description?: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples?: readonly string[];
  /** How many positional words it takes. */
  readonly positionals?: { readonly min: number; readonly max: number };
  /** Resolves to the exit code. */
  run(input: CommandInput, io: CommandIo): Promise<number>;
}
