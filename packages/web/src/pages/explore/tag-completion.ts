import { formatTag, splitScope } from '@clew/api';
import type { KeyEntry, ValueEntry } from '@clew/api';

/** What the word at the cursor of the tags box is. */
export type TagWord =
  | { readonly kind: 'key'; readonly prefix: string; readonly start: number; readonly end: number }
  | {
      readonly kind: 'value';
      readonly key: string;
      readonly prefix: string;
      readonly start: number;
      readonly end: number;
    };

/** Finds the word around the cursor: a key until a comparison, then the value. */
export function wordAtCursor(text: string, cursor: number): TagWord {
  const start = wordStart(text, cursor);
  const tail = text.slice(cursor).search(/\s/);
  const end = tail < 0 ? text.length : cursor + tail;
  const word = text.slice(start, end);
  const comparison = /^!?([^=!<>~\s]+)(!=|>=|<=|=~|!~|=|>|<)/.exec(word);
  if (comparison === null || cursor < start + comparison[0].length) {
    return { kind: 'key', prefix: text.slice(start, cursor).replace(/^!/, ''), start, end };
  }
  const valueStart = start + comparison[0].length;
  const prefix = text.slice(valueStart, cursor).replace(/^"/, '');
  return { kind: 'value', key: comparison[1] ?? '', prefix, start: valueStart, end };
}

/** The start of the word at the cursor; blanks inside quotes do not end a word. */
function wordStart(text: string, cursor: number): number {
  let start = 0;
  let quoted = false;
  for (let i = 0; i < cursor; i++) {
    const char = text.charAt(i);
    if (char === '\\') i++;
    else if (char === '"') quoted = !quoted;
    else if (/\s/.test(char) && !quoted) start = i + 1;
  }
  return start;
}

/** A completion: what the list shows and what it makes of the text. */
export interface Completion {
  readonly value: string;
  readonly note: string | undefined;
  readonly text: string;
}

/** Completions of a key end in `=`, so that the values come next. */
export function completeKey(text: string, word: TagWord, entry: KeyEntry): Completion {
  const name = formatTag({
    scope: entry.scope === 'resource' ? 'resource' : 'any',
    key: entry.key,
    operator: 'exists',
  });
  return { value: name, note: entry.scope, text: splice(text, word, `${name}=`) };
}

/** Completions of a value end in a blank, so that another term can follow. */
export function completeValue(text: string, word: TagWord, entry: ValueEntry): Completion {
  const term = formatTag({
    scope: 'any',
    key: 'k',
    operator: '=',
    value:
      entry.type === 'boolean'
        ? { type: 'boolean', value: entry.text === 'true' }
        : { type: entry.type, text: entry.text },
  });
  return {
    value: entry.text,
    note: entry.type === 'string' ? undefined : entry.type,
    text: splice(text, word, `${term.slice(2)} `),
  };
}

function splice(text: string, word: TagWord, replacement: string): string {
  const after = text.slice(word.end);
  return text.slice(0, word.start) + replacement + (replacement.endsWith(' ') ? after.trimStart() : after);
}

/** The attribute a key of the box stands for, as `/values` wants it. */
export function valuesKey(key: string): string {
  const { scope, key: name } = splitScope(key);
  return scope === 'any' ? name : `${scope}.${name}`;
}
