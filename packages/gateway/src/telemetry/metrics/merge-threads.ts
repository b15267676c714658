import type { Labels } from '@clew/base';
import { mergeFamilies } from '@clew/base/node';
import type { MetricFamily } from '@clew/base/node';

/** Which of several values speaks for all. An open circuit (1) is worse than one that is tried (2), and that than a closed one (0). */
type Judgement = 'highest' | 'lowest' | 'circuit';

/** Metrics that are states: what they say of the whole is not the sum of what each thread says. */
const worst: Readonly<Record<string, Judgement>> = {
  zentinel_circuit_breaker_state: 'circuit',
  zentinel_agent_circuit_breaker_state: 'circuit',
  zentinel_agent_health: 'lowest',
  zentinel_upstream_health: 'lowest',
  zentinel_upstream_healthy_backends: 'lowest',
};

/** Limits are the same in every thread. */
const limitName = 'clew_limit_value';

/** Metrics of several threads as those of one program: numbers add up, of states the worst counts. */
export function mergeThreadFamilies(parts: readonly (readonly MetricFamily[])[]): MetricFamily[] {
  const merged = mergeFamilies(parts).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return parts.length === 1
    ? merged
    : merged.map((family) => {
        const take = worst[family.name] ?? (family.name === limitName ? 'highest' : undefined);
        return take === undefined ? family : withWorst(family, parts, take);
      });
}

/** What threads that are gone have counted, with another one: counters must never go back, whatever became of who counted. */
export function withLostThread(
  counted: readonly MetricFamily[],
  lastReport: readonly MetricFamily[],
): readonly MetricFamily[] {
  return mergeFamilies([counted, lastReport.filter(({ kind }) => kind !== 'gauge')]);
}

function withWorst(family: MetricFamily, parts: readonly (readonly MetricFamily[])[], take: Judgement): MetricFamily {
  const all = parts
    .flat()
    .filter(({ name }) => name === family.name)
    .flatMap(({ samples }) => samples);
  const samples = family.samples.map((sample) => {
    const values = all.filter(({ labels }) => sameLabels(labels, sample.labels)).map(({ value }) => value);
    return { ...sample, value: judge(values, take) };
  });
  return { ...family, samples };
}

function judge(values: readonly number[], take: Judgement): number {
  if (take === 'circuit' && values.includes(1)) return 1;
  return take === 'lowest' ? Math.min(...values) : Math.max(...values);
}

function sameLabels(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
