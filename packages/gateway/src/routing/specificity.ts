import type { HostCondition, PathCondition, RouteConditions, ValueCondition } from '../config/model/route.ts';

const hostValues: Readonly<Record<HostCondition['kind'], number>> = { exact: 70, regex: 60, wildcard: 50 };
const headerValues = { withValue: 30, presence: 20 };
const queryValues = { withValue: 25, presence: 15 };
const methodValue = 10;

/** How exactly a path condition says what it wants. */
export function pathSpecificity({ kind, value }: PathCondition): number {
  if (kind === 'exact') return 10_000;
  return kind === 'regex' ? 5000 : 1000 + value.length;
}

/** How exactly a route says what it wants: the best condition of each kind, added up. */
export function specificity({ paths, hosts, methods, headers, query }: RouteConditions): number {
  return (
    best(paths.map(pathSpecificity)) +
    best(hosts.map(({ kind }) => hostValues[kind])) +
    best(headers.map((header) => valueSpecificity(header, headerValues))) +
    best(query.map((parameter) => valueSpecificity(parameter, queryValues))) +
    (methods.length > 0 ? methodValue : 0)
  );
}

function valueSpecificity({ value }: ValueCondition, values: typeof headerValues): number {
  return value === undefined ? values.presence : values.withValue;
}

function best(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
