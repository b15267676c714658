/** Which rows of a trace are open: a preset and up to fifty exceptions by span-id prefix. */
export interface Expansion {
  /** `all`; `err`: only paths to errors; `cp`: only the critical path; a number: that many levels. */
  readonly preset: 'all' | 'err' | 'cp' | number;
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}

/** More exceptions than this do not go into a link. */
export const maxExpansionExceptions = 50;

/** Everything open. */
export const defaultExpansion: Expansion = Object.freeze({ preset: 'all', opened: [], closed: [] });

/** Reads the expansion code of a link, such as `d2+1f3a-9c`; undefined when it cannot be read. */
export function parseExpansion(code: string): Expansion | undefined {
  const match = /^(all|err|cp|d\d{1,6})((?:[+-][0-9a-f]{1,16}){0,50})$/.exec(code);
  if (match === null) return undefined;
  const word = match[1] ?? 'all';
  const preset = word === 'all' || word === 'err' || word === 'cp' ? word : Number(word.slice(1));
  const exceptions = (match[2] ?? '').match(/[+-][0-9a-f]+/g) ?? [];
  const marked = (sign: string): readonly string[] =>
    exceptions.filter((entry) => entry.startsWith(sign)).map((entry) => entry.slice(1));
  return { preset, opened: marked('+'), closed: marked('-') };
}

/** Writes an expansion code; exceptions beyond the limit are left out, oldest first. */
export function formatExpansion(expansion: Expansion): string {
  const preset = typeof expansion.preset === 'number' ? `d${expansion.preset}` : expansion.preset;
  const exceptions = [...expansion.opened.map((id) => `+${id}`), ...expansion.closed.map((id) => `-${id}`)];
  return preset + exceptions.slice(-maxExpansionExceptions).join('');
}
