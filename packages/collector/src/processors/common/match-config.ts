import { compilePattern, didYouMean } from '@clew/base';
import { typedValue } from '@clew/pipeline';
import { z } from 'zod';
import { configuredValue, typeName } from './attribute-value.ts';

const attributeSchema = z.strictObject({ key: z.string(), value: typedValue().optional() });

const librarySchema = z.strictObject({ name: z.string(), version: z.string().optional() });

/** The span kinds by the names of the protocol; the index is the number. */
export const spanKindNames = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
] as const;

const criteria = ['services', 'span_names', 'span_kinds', 'attributes', 'resources', 'libraries'] as const;

/** Which spans: the `include` and `exclude` blocks of several processors. */
export const spanMatchSchema = z
  .strictObject({
    match_type: z.string().prefault(''),
    regexp: z
      .strictObject({ cacheenabled: z.boolean().prefault(false), cachemaxnumentries: z.int().min(0).prefault(0) })
      .optional(),
    services: z.array(z.string()).prefault([]),
    span_names: z.array(z.string()).prefault([]),
    span_kinds: z.array(z.string()).prefault([]),
    attributes: z.array(attributeSchema).prefault([]),
    resources: z.array(attributeSchema).prefault([]),
    libraries: z.array(librarySchema).prefault([]),
  })
  .superRefine((config, context) => {
    const at = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const { match_type: type } = config;
    if (type !== 'strict' && type !== 'regexp') {
      return at(['match_type'], `unrecognized match_type: '${type}', valid types are: [regexp strict]`);
    }
    if (criteria.every((name) => config[name].length === 0)) {
      // The reference collector's words, its two spaces included, though more criteria than these count.
      return at([], 'at least one of "attributes", "libraries",  or "resources" field must be specified');
    }
    for (const name of ['attributes', 'resources'] as const) {
      for (const [index, { key, value }] of config[name].entries()) {
        if (key === '')
          at([name, index], "error creating attribute filters: can't have empty key in the list of attributes");
        if (type !== 'regexp' || value === undefined || value === null) continue;
        if (typeof value === 'string') checkPattern(value, [name, index, 'value'], at);
        else {
          const found = typeName(configuredValue(value));
          at(
            [name, index],
            `error creating attribute filters: match_type=regexp for "${key}" only supports Str, but found ${found}`,
          );
        }
      }
    }
    if (type === 'regexp') return checkPatterns(config, at);
    for (const [index, kind] of config.span_kinds.entries()) {
      if (!(spanKindNames as readonly string[]).includes(kind)) {
        at(
          ['span_kinds', index],
          `unknown span kind ${JSON.stringify(kind)}${didYouMean(kind, spanKindNames)}; use one of ${spanKindNames.join(', ')}`,
        );
      }
    }
  });

/** A match block. */
export type SpanMatchConfig = z.output<typeof spanMatchSchema>;

type Report = (path: (string | number)[], message: string) => void;

function checkPatterns(
  config: Pick<SpanMatchConfig, 'services' | 'span_names' | 'span_kinds' | 'libraries'>,
  report: Report,
): void {
  for (const name of ['services', 'span_names', 'span_kinds'] as const) {
    for (const [index, pattern] of config[name].entries()) checkPattern(pattern, [name, index], report);
  }
  for (const [index, { name, version }] of config.libraries.entries()) {
    checkPattern(name, ['libraries', index, 'name'], report);
    if (version !== undefined) checkPattern(version, ['libraries', index, 'version'], report);
  }
}

function checkPattern(pattern: string, path: (string | number)[], report: Report): void {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) report(path, `invalid pattern ${JSON.stringify(pattern)}: ${compiled.error}`);
}
