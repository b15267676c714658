/** Fields of which a second one is not added to the first: who repeats them errs. As `node:http` has it. */
const single: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);

/** Fields by lower-case name; those that occur more than once are joined, `set-cookie` is a list (RFC 9110 section 5.3). */
export function fieldsByName(
  fields: readonly string[],
): Readonly<Record<string, string | readonly string[] | undefined>> {
  const byName = new Map<string, string | string[]>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at]!.toLowerCase();
    const value = fields[at + 1]!;
    const known = byName.get(name);
    if (name === 'set-cookie') {
      if (Array.isArray(known)) known.push(value);
      else byName.set(name, [value]);
    } else if (known === undefined) byName.set(name, value);
    else if (!single.has(name)) byName.set(name, `${known as string}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  return Object.assign(Object.create(null) as object, Object.fromEntries(byName));
}
