import { CodedError } from '@clew/base';
import type { CodedErrorOptions } from '@clew/base';
import { formatProblems } from './config/problem.ts';
import type { Problem } from './config/problem.ts';

/**
 * Codes of errors raised by `@clew/pipeline`.
 * - `config_unreadable`: a source could not be read or is not YAML.
 * - `config_invalid`: the configuration breaks rules; `problems` has all of them.
 * - `graph_invalid`: pipelines cannot be built from it.
 * - `start_failed`: a component did not start; everything started before it has been stopped.
 * - `stop_failed`: components did not stop cleanly; everything was attempted.
 * - `registry_conflict`: two factories claim one type.
 */
export type PipelineErrorCode =
  'config_unreadable' | 'config_invalid' | 'graph_invalid' | 'start_failed' | 'stop_failed' | 'registry_conflict';

/** Raised by `@clew/pipeline`. */
export class PipelineError extends CodedError<PipelineErrorCode> {
  /** Everything that is wrong, when the error is about a configuration. */
  readonly problems: readonly Problem[];

  constructor(
    code: PipelineErrorCode,
    message: string,
    options: CodedErrorOptions & { readonly problems?: readonly Problem[] } = {},
  ) {
    super(code, message, options);
    this.problems = options.problems ?? [];
  }

  /** An error for a list of problems, prefixed by the phase of the first, as the reference collector prints it. */
  static fromProblems(problems: readonly Problem[]): PipelineError {
    const phase = problems.find((problem) => problem.severity === 'error')?.phase ?? 'validate';
    const [code, prefix] = phases[phase];
    return new PipelineError(code, `${prefix}: ${formatProblems(problems)}`, { problems });
  }
}

const phases: Readonly<Record<Problem['phase'], readonly [PipelineErrorCode, string]>> = {
  get: ['config_unreadable', 'failed to get config'],
  decode: ['config_invalid', 'failed to get config'],
  validate: ['config_invalid', 'invalid configuration'],
  build: ['graph_invalid', 'failed to build pipelines'],
};
