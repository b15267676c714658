import { compilePattern } from '@clew/base';
import { typedValue } from '@clew/pipeline';
import { z } from 'zod';

/** What can be done to an attribute. */
export const actionNames = ['insert', 'update', 'upsert', 'delete', 'hash', 'extract', 'convert'] as const;

/** One action of the `attributes` and `resource` processors. */
export const actionSchema = z
  .strictObject({
    key: z.string().prefault(''),
    action: z.string().transform((name) => name.toLowerCase()),
    value: typedValue().optional(),
    default_value: typedValue().optional(),
    from_attribute: z.string().prefault(''),
    from_context: z.string().prefault(''),
    pattern: z.string().prefault(''),
    converted_type: z.string().prefault(''),
  })
  .superRefine((config, context) => {
    const { action, key, pattern } = config;
    const add = (message: string) =>
      context.addIssue(`error creating AttrProc: action "${action}"${key === '' ? '' : ` on key "${key}"`} ${message}`);
    if (!isAction(action))
      return context.addIssue(
        `error creating AttrProc: unsupported action "${action}", use one of ${actionNames.join(', ')}`,
      );
    const byKeyOnly = action !== 'delete' && action !== 'hash';
    if (key === '' && (byKeyOnly || pattern === ''))
      return add(byKeyOnly ? 'lacks the required field "key"' : 'needs "key" or "pattern"');
    const isSource = action === 'insert' || action === 'update' || action === 'upsert';
    const sources = sourcesOf(config);
    if (isSource && sources.length !== 1) {
      const seen = sources.length === 0 ? 'none is given' : `given: ${sources.join(', ')}`;
      add(`needs exactly one of "value", "from_attribute" and "from_context" (${seen})`);
    }
    if (!isSource && sources.length > 0) add(`does not use "${sources[0]}"; remove it`);
    if (config.default_value !== undefined && config.from_attribute === '')
      add('uses "default_value" only beside "from_attribute"');
    if (isSource && pattern !== '') add('does not use "pattern"; remove it');
    if (action === 'convert' && pattern !== '') add('does not use "pattern"; remove it');
    if (config.from_context !== '' && !/^(metadata\..+|auth\..+|client\.address)$/.test(config.from_context)) {
      add(`has from_context "${config.from_context}"; use metadata.<key>, auth.<attribute> or client.address`);
    }
    if (action === 'convert' && !['int', 'double', 'string'].includes(config.converted_type)) {
      const seen =
        config.converted_type === '' ? 'lacks "converted_type"' : `has converted_type "${config.converted_type}"`;
      add(`${seen}; use int, double or string`);
    }
    if (action !== 'convert' && config.converted_type !== '') add('does not use "converted_type"; remove it');
    if (pattern !== '' || action === 'extract') checkPattern(action, pattern, add);
  });

/** One action. */
export type ActionConfig = z.output<typeof actionSchema>;

/** Whether a name is an action's. */
export function isAction(name: string): name is (typeof actionNames)[number] {
  return (actionNames as readonly string[]).includes(name);
}

interface Sources {
  readonly value?: unknown;
  readonly from_attribute: string;
  readonly from_context: string;
}

function sourcesOf({ value, from_attribute, from_context }: Sources): string[] {
  return [
    ...(value === undefined || value === null ? [] : ['value']),
    ...(from_attribute === '' ? [] : ['from_attribute']),
    ...(from_context === '' ? [] : ['from_context']),
  ];
}

function checkPattern(action: string, source: string, add: (message: string) => void): void {
  if (source === '') return add('lacks the required field "pattern"');
  const compiled = compilePattern(source);
  if (!compiled.ok) return add(`has an invalid pattern: ${compiled.error}`);
  if (action !== 'extract') return;
  const { groupCount, groupNames } = compiled.value;
  if (groupCount === 0) add('has a pattern without groups; name what to extract, as in (?P<version>[0-9]+)');
  else if (groupCount !== groupNames.length)
    add('has a pattern with groups that have no name; every group must be (?P<name>…)');
}
