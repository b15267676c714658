/** Where a value was written. */
export interface SourcePosition {
  /** The file as named by the user, or `env:NAME`, `--set a.b`, an address. */
  readonly source: string;
  /** From 1; absent when the source has no lines of its own. */
  readonly line?: number;
  /** From 1, in UTF-16 units. */
  readonly column?: number;
  /** What the text at that position was replaced by, such as `env:TOKEN`; innermost last. */
  readonly via?: readonly string[];
}

/** One thing wrong, or worth a warning, in a configuration. */
export interface Problem {
  /** Which step found it: reading sources, decoding into settings, validating, or building the graph. */
  readonly phase: 'get' | 'decode' | 'validate' | 'build';
  readonly severity: 'error' | 'warning';
  /** What is wrong, complete with the path as the reference collector words it. */
  readonly message: string;
  /** Keys that lead to the value, for tools. */
  readonly path: readonly string[];
  readonly position?: SourcePosition;
}

/** `source:line:column`, as far as known, with what was substituted there. */
export function formatPosition(position: SourcePosition): string {
  const { source, line, column, via } = position;
  const place =
    line === undefined ? source : column === undefined ? `${source}:${line}` : `${source}:${line}:${column}`;
  return via === undefined || via.length === 0 ? place : `${place} (from ${via.join(', from ')})`;
}

/** `position: message`. */
export function formatProblem(problem: Problem): string {
  return problem.position === undefined ? problem.message : `${formatPosition(problem.position)}: ${problem.message}`;
}

/** The errors among `problems`, one a line. */
export function formatProblems(problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === 'error');
  return (errors.length === 0 ? problems : errors).map(formatProblem).join('\n');
}
