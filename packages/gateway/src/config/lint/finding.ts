import type { SourcePosition } from '../../kdl/position.ts';
import type { ConfigProblem, LintCode } from '../../kdl/problem.ts';

/** One finding. */
export function finding(code: LintCode, message: string, position?: SourcePosition): ConfigProblem {
  return { severity: 'warning', code, message, ...(position === undefined ? {} : { position }) };
}
