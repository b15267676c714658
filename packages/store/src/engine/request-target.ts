import { StoreError } from '../errors.ts';
import type { ParamValue, StatementOptions } from './client.ts';
import type { StatementLimits } from './limits.ts';
import { maxTargetBytes, reservedParameters } from './protocol.ts';
import { formatParam, isPlainName } from './sql-text.ts';

/** What becomes the parameters of a request. */
export interface TargetParts {
  readonly queryId: string;
  readonly database: string;
  /** Settings of every statement. */
  readonly settings: Readonly<Record<string, string>>;
  readonly options: StatementOptions;
  readonly limits: StatementLimits;
  /** Format of the result, for statements that have one. */
  readonly format: string | undefined;
  /** The SQL, when the body carries data. */
  readonly query: string | undefined;
}

/** The path and parameters of a request, as ClickHouse's HTTP interface reads them. Fails with `invalid_argument`. */
export function requestTarget({ queryId, database, settings, options, limits, format, query }: TargetParts): string {
  const parameters = new URLSearchParams({ query_id: queryId, database, ...settings });
  if (format !== undefined) parameters.set('default_format', format);
  if (query !== undefined) parameters.set('query', query);
  parameters.set('log_comment', options.comment);
  if (limits.timeoutMs > 0) parameters.set('max_execution_time', String(limits.timeoutMs / 1000));
  if (limits.maxMemoryBytes > 0) parameters.set('max_memory_usage', String(limits.maxMemoryBytes));
  if (limits.maxResultRows > 0) parameters.set('max_result_rows', String(limits.maxResultRows));
  for (const [name, value] of Object.entries(options.settings ?? {}))
    setSetting(parameters, name, value, options.comment);
  for (const [name, value] of Object.entries(options.params ?? {})) setParam(parameters, name, value);
  const target = `/?${parameters.toString()}`;
  if (target.length > maxTargetBytes) {
    throw new StoreError(
      'invalid_argument',
      `The parameters of "${options.comment}" take ${target.length} bytes, more than the ${maxTargetBytes} a request may have: send fewer at once`,
    );
  }
  return target;
}

function setSetting(parameters: URLSearchParams, name: string, value: string | number, comment: string): void {
  if (!isPlainName(name) || reservedParameters.has(name) || name.startsWith('param_')) {
    throw new StoreError(
      'invalid_argument',
      `Cannot use ${JSON.stringify(name)} as a setting of "${comment}": it is not the name of one`,
    );
  }
  parameters.set(name, String(value));
}

function setParam(parameters: URLSearchParams, name: string, value: ParamValue): void {
  if (!isPlainName(name)) {
    throw new StoreError('invalid_argument', `Cannot use ${JSON.stringify(name)} as the name of a parameter`);
  }
  parameters.set(`param_${name}`, formatParam(name, value));
}
