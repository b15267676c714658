import type { SourcePosition } from './position.ts';

/** What a problem is about; stable, for tools and tests. */
export type ProblemCode =
  // Reading files.
  | 'unreadable_file'
  | 'syntax'
  | 'kdl1_spelling'
  | 'include_cycle'
  | 'include_empty'
  | 'environment'
  // Nodes and values.
  | 'unknown_setting'
  | 'unsupported'
  | 'deprecated'
  | 'repeated'
  | 'extra_value'
  | 'missing'
  | 'wrong_type'
  | 'invalid_value'
  // What nodes mean together.
  | 'duplicate_id'
  | 'unknown_reference'
  | 'conflict'
  | 'no_effect'
  | 'missing_file'
  | 'unreachable'
  | LintCode;

/** What {@link lintGatewayConfig} and its relatives find. */
export type LintCode =
  | 'unused'
  | 'shadowed_route'
  | 'tied_routes'
  | 'no_retry_policy'
  | 'no_timeout'
  | 'no_health_check'
  | 'single_target'
  | 'plain_http'
  | 'no_hsts'
  | 'metrics_off'
  | 'access_log_off'
  | 'tls_suspected';

/** One thing wrong, or worth a warning, in a configuration. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  readonly code: ProblemCode;
  /** A whole sentence or clause that names the object, the value seen and the rule. */
  readonly message: string;
  readonly position?: SourcePosition;
  /** What to write instead, where that takes more than a few words. */
  readonly help?: string;
  /** The lines around the position with a caret below it. */
  readonly excerpt?: string;
}
