import type { Labels, MetricLevel } from '../telemetry.ts';

/** One metric with its samples, as plain data. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly level: MetricLevel;
  /** Present on metrics under the collector's naming; see `MetricOptions`. */
  readonly otelUnit?: string;
  readonly samples: { readonly name: string; readonly labels: Labels; value: number }[];
}

/**
 * How metrics under the collector's naming are spelled. The default reader of a collector sets all three; a reader written
 * by a user without them gets the suffixes. Metrics with complete names are not affected, except by scope labels.
 */
export interface ExpositionOptions {
  readonly withoutScopeInfo: boolean;
  readonly withoutUnits: boolean;
  readonly withoutTypeSuffix: boolean;
  /** Metrics of a higher level are left out. Default `normal`. */
  readonly level?: MetricLevel;
  /** Attributes of the process, exposed as the labels of `target_info`; dots become underscores. */
  readonly resource?: Readonly<Record<string, string>>;
}

/** Media type of what {@link exposeText} returns. */
export const expositionContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** UCUM codes as Prometheus spells them. A code in braces is an annotation and has no spelling. */
const unitNames: Readonly<Record<string, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  By: 'bytes',
  MiBy: 'mebibytes',
  '1': 'ratio',
};

const levels: readonly MetricLevel[] = ['basic', 'normal', 'detailed'];

const scopeLabels: Labels = { otel_scope_name: 'clew', otel_scope_version: '' };

/** Writes the Prometheus text format. */
export function exposeText(families: readonly MetricFamily[], options: ExpositionOptions): string {
  const lines: string[] = [];
  if (options.resource !== undefined) {
    const labels = Object.entries(options.resource).map(
      ([key, value]) => [key.replace(/[^a-zA-Z0-9_]/g, '_'), value] as const,
    );
    lines.push('# HELP target_info Target metadata', '# TYPE target_info gauge');
    lines.push(`target_info${labelText(Object.fromEntries(labels))} 1`);
  }
  for (const family of families) {
    if (family.samples.length === 0 || levels.indexOf(family.level) > levels.indexOf(options.level ?? 'normal'))
      continue;
    const name = exposedName(family, options);
    lines.push(`# HELP ${name} ${escapeHelp(family.help)}`, `# TYPE ${name} ${family.kind}`);
    const scope = family.otelUnit === undefined || options.withoutScopeInfo ? {} : scopeLabels;
    for (const sample of family.samples) {
      const suffix = sample.name.slice(family.name.length);
      lines.push(`${name}${suffix}${labelText({ ...sample.labels, ...scope })} ${valueText(sample.value)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function exposedName({ name, kind, otelUnit }: MetricFamily, options: ExpositionOptions): string {
  if (otelUnit === undefined) return name;
  let exposed = name;
  const unit = unitNames[otelUnit];
  // A ratio suffix is for gauges only, as in the OpenTelemetry compatibility specification.
  const spelled = unit === 'ratio' && kind !== 'gauge' ? undefined : unit;
  if (!options.withoutUnits && spelled !== undefined && !exposed.endsWith(`_${spelled}`)) exposed += `_${spelled}`;
  if (!options.withoutTypeSuffix && kind === 'counter' && !exposed.endsWith('_total')) exposed += '_total';
  return exposed;
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

function escapeHelp(text: string): string {
  return text.replace(/[\\\n]/g, (character) => (character === '\n' ? '\\n' : '\\\\'));
}

function valueText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
