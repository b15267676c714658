/**
 * What a pattern is, when it needs no regular expression engine: most patterns people configure are plain text, a
 * prefix, or a list of words. `anchorStart` and `anchorEnd` say whether each literal must touch that end.
 */
export interface LiteralPattern {
  readonly literals: readonly string[];
  readonly anchorStart: boolean;
  readonly anchorEnd: boolean;
}

/** Characters that mean something in RE2 outside a class. */
const meta = new Set('.*+?()[]{}|^$\\');

/**
 * Recognises patterns that are literal text under unanchored search: optional `^` and `$`, escaped punctuation,
 * alternation at the top or in one group around everything, and `.*` at an unanchored end (which matches the empty text
 * and so changes nothing). Everything else is undefined and goes to the engine.
 */
export function analyzeLiteral(source: string): LiteralPattern | undefined {
  const anchorStart = source.startsWith('^');
  let body = anchorStart ? source.slice(1) : source;
  const anchorEnd = endsUnescaped(body, '$');
  if (anchorEnd) body = body.slice(0, -1);
  if (!anchorStart) body = body.replace(/^(?:\.\*\??)+/, '');
  if (!anchorEnd) body = stripTrailingAny(body);
  const inner = wholeGroup(body);
  // In `^a|b$` the anchors belong to single branches; only a group lets them hold for all.
  if (inner === undefined && (anchorStart || anchorEnd) && hasAlternation(body)) return undefined;
  // `.*a|b.*`: what was stripped belonged to one branch, and dropping it there is right for the same reason.
  const literals = splitLiterals(inner ?? body);
  return literals === undefined ? undefined : { literals, anchorStart, anchorEnd };
}

/** Whether `text` ends with `character` not preceded by an odd number of backslashes. */
function endsUnescaped(text: string, character: string): boolean {
  if (!text.endsWith(character)) return false;
  const slashes = /\\*$/.exec(text.slice(0, -1))![0].length;
  return slashes % 2 === 0;
}

function stripTrailingAny(body: string): string {
  for (const any of ['.*?', '.*']) {
    const head = body.slice(0, -any.length);
    const escaped = /\\*$/.exec(head)![0].length % 2 === 1;
    if (body.endsWith(any) && !escaped) return stripTrailingAny(head);
  }
  return body;
}

/** The inside of a group that is the whole of `body`, when it holds no further group. */
function wholeGroup(body: string): string | undefined {
  const match = /^\((?:\?:)?([^()?]*)\)$/.exec(body);
  return match === null || match[1]!.endsWith('\\') ? undefined : match[1]!;
}

function hasAlternation(body: string): boolean {
  return body.replace(/\\./g, '').includes('|');
}

/** The unescaped branches of a body that is literals and `|` alone. */
function splitLiterals(body: string): string[] | undefined {
  const branches = [''];
  for (let i = 0; i < body.length; i++) {
    const character = body[i]!;
    if (character === '|') {
      branches.push('');
      continue;
    }
    if (character === '\\') {
      const next = body[++i];
      // Only escaped punctuation stands for itself; \d, \pL, \x41, \Q and the like do not.
      if (next === undefined || !/^[!-/:-@[-`{-~]$/.test(next)) return undefined;
      branches[branches.length - 1] += next;
      continue;
    }
    if (meta.has(character)) return undefined;
    branches[branches.length - 1] += character;
  }
  return branches;
}
