import { suggest } from '@clew/base';
import type { InjectionFormat } from './composite.ts';
import { ContextFormat } from './context.ts';

/** What a value of `OTEL_PROPAGATORS` asks for. */
export interface PropagatorChoice {
  /** Formats to read, W3C first, then B3, Jaeger, X-Ray and the deprecated ones, whatever order they were named in. */
  readonly extraction: readonly ContextFormat[];
  /** Formats to write. */
  readonly injection: readonly InjectionFormat[];
  /** Whether W3C Baggage is read and written. */
  readonly baggage: boolean;
  /** What was ignored and why, one sentence each. */
  readonly problems: readonly string[];
}

/** What applies when `OTEL_PROPAGATORS` is not set. */
export const DEFAULT_PROPAGATORS = 'tracecontext,baggage';

interface Entry {
  readonly extract?: ContextFormat;
  readonly inject?: InjectionFormat;
}

/** In the order in which formats are read. */
const entries: Readonly<Record<string, Entry>> = {
  tracecontext: { extract: ContextFormat.W3C, inject: 'tracecontext' },
  b3: { extract: ContextFormat.B3, inject: 'b3' },
  b3multi: { extract: ContextFormat.B3, inject: 'b3multi' },
  jaeger: { extract: ContextFormat.JAEGER, inject: 'jaeger' },
  xray: { extract: ContextFormat.XRAY, inject: 'xray' },
  ottrace: { extract: ContextFormat.OT_TRACER },
  baggage: {},
  none: {},
};

/**
 * Reads a value of `OTEL_PROPAGATORS`: names separated by commas, in any case. An empty value means the default, `none` no
 * propagation at all whatever stands beside it.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function parsePropagators(value: string | undefined): PropagatorChoice {
  const names = (value ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const given = new Set(names.filter((name) => name !== ''));
  if (given.size === 0) return parsePropagators(DEFAULT_PROPAGATORS);
  const problems = [...given].filter((name) => !Object.hasOwn(entries, name)).map(unknownName);
  if (given.has('none')) {
    if (given.size > 1) problems.push('OTEL_PROPAGATORS names "none" beside others: nothing is propagated');
    return { extraction: [], injection: [], baggage: false, problems };
  }
  const chosen = Object.keys(entries).filter((name) => given.has(name));
  const extraction = new Set<ContextFormat>();
  const injection: InjectionFormat[] = [];
  for (const name of chosen) {
    const { extract, inject } = entries[name]!;
    if (extract !== undefined) extraction.add(extract);
    if (inject !== undefined) injection.push(inject);
  }
  if (given.has('ottrace'))
    problems.push('OTEL_PROPAGATORS names "ottrace", which is deprecated: it is read but not written');
  return { extraction: [...extraction], injection, baggage: given.has('baggage'), problems };
}

function unknownName(name: string): string {
  const near = suggest(name, Object.keys(entries));
  const hint = near === undefined ? `known are ${Object.keys(entries).join(', ')}` : `did you mean "${near}"?`;
  return `OTEL_PROPAGATORS names "${name}", which is no propagator: it is ignored; ${hint}`;
}
