import type { InvalidKdlError } from '@bgotink/kdl';

/** A syntax error in words that say what to write. */
export interface Explanation {
  readonly message: string;
  readonly help?: string;
  /** Where the mistake is, when that is not where the parser noticed it. */
  readonly offset?: number;
}

/** Says what is wrong at `offset` of `text`; recognises what KDL 1, JSON and habit lead people to write. */
export function explainSyntaxError(error: InvalidKdlError, text: string, offset: number): Explanation {
  const message = error.message.replace(/ at (?:\d+:\d+|end of input)$/, '');
  const atEnd = error.message.endsWith(' at end of input');
  return (
    explainList(text, offset) ??
    explainRawString(message, text, offset) ??
    explainNumber(text, offset) ??
    explainAssignment(text, offset) ??
    explainKeyword(message, text, offset) ??
    explainMissingEnd(text, offset) ??
    explainUnbalanced(message, text, offset, atEnd) ?? {
      message: atEnd ? `${message} at the end of the file` : message,
    }
  );
}

function explainList(text: string, offset: number): Explanation | undefined {
  if (text[offset] !== '[') return undefined;
  const name = /([^\s{};]+)[ \t]*$/.exec(text.slice(0, offset))?.[1];
  const inside = /^\[([^\]]*)\]/.exec(text.slice(offset))?.[1] ?? '';
  const items = inside
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return {
    message: 'KDL has no lists in brackets',
    help: `write the values one after another: ${[name ?? 'name', ...(items.length === 0 ? ['"a"', '"b"'] : items)].join(' ')}`,
  };
}

function explainRawString(message: string, text: string, offset: number): Explanation | undefined {
  const help = 'KDL 2 writes raw strings as #"…"# without the r; a backslash needs no escape between them';
  if (message.startsWith('Invalid raw string')) return { message: 'KDL 1 spelling of a raw string', help };
  if (text[offset] === '"' && /(?:^|[\s=])r$/.test(text.slice(Math.max(0, offset - 2), offset))) {
    return { message: 'KDL 1 spelling of a raw string', help, offset: offset - 1 };
  }
  return undefined;
}

/** `10MB`, `30s`: a number ends where its digits do. */
function explainNumber(text: string, offset: number): Explanation | undefined {
  const before = /(?:^|[\s=])([-+]?\d[\d_.]*)$/.exec(text.slice(Math.max(0, offset - 40), offset))?.[1];
  const unit = /^[A-Za-z%][^\s;{}"]*/.exec(text.slice(offset))?.[0];
  if (before === undefined || unit === undefined) return undefined;
  return {
    message: `${JSON.stringify(before + unit)} is neither a number nor text`,
    help: `values with a unit are written between quotes: "${before}${unit}"`,
    offset: offset - before.length,
  };
}

/** `name = value` and `name: value`. */
function explainAssignment(text: string, offset: number): Explanation | undefined {
  if (text[offset] !== '=') return undefined;
  const name = /([^\s{};="]+)[ \t]*$/.exec(text.slice(0, offset))?.[1];
  return {
    message: 'a setting and its value are separated by a space, not by =',
    help: `write ${name ?? 'name'} and then the value, such as: ${name ?? 'name'} "value"`,
  };
}

/** `inf` and `nan` alone; `true`, `false` and `null` are repaired before, except as names. */
function explainKeyword(message: string, text: string, offset: number): Explanation | undefined {
  const name = /^Unexpected token "#(true|false|null)"/.exec(message)?.[1];
  if (name !== undefined) {
    return {
      message: `${name} is a keyword and cannot be a name`,
      help: `write "${name}" if that is the name you mean`,
    };
  }
  const keyword = /^Invalid keyword "([^"]+)"/.exec(message)?.[1];
  if (keyword === undefined || text.slice(offset - keyword.length, offset) !== keyword) return undefined;
  return {
    message: `${keyword} is a keyword and cannot stand alone`,
    help: `write #${keyword} for the value, or "${keyword}" for text`,
    offset: offset - keyword.length,
  };
}

/** `a { … } b`: two nodes on one line. */
function explainMissingEnd(text: string, offset: number): Explanation | undefined {
  const character = text[offset];
  if (character === undefined || /[\s{}]/.test(character) || !/\}[ \t]*$/.test(text.slice(0, offset))) return undefined;
  return {
    message: 'something follows a block on its line',
    help: 'begin the next node on a new line, or put a ; after the }',
  };
}

/** Points at what was opened and never closed, not at the end of the file where that is noticed. */
function explainUnbalanced(message: string, text: string, offset: number, atEnd: boolean): Explanation | undefined {
  if (message.startsWith('Unexpected EOF inside string')) {
    return {
      message: 'a string is opened and never closed',
      help: 'close it with " on the line where it begins',
      offset: lastOpeningQuote(text),
    };
  }
  if (atEnd && message.startsWith('Invalid node children')) {
    return { message: 'a block is opened and never closed', help: 'add the missing }', offset: unclosedBrace(text) };
  }
  if (message.startsWith('Unexpected token "}"')) {
    return { message: 'this } closes no block', help: 'remove it, or add the { that is missing before it' };
  }
  return undefined;
}

/** The last quote that is not escaped; in a text that ends inside a string, the one that opened it. */
function lastOpeningQuote(text: string): number {
  let at = text.lastIndexOf('"');
  while (at > 0 && /\\*$/.exec(text.slice(Math.max(0, at - 100), at))![0].length % 2 === 1) {
    at = text.lastIndexOf('"', at - 1);
  }
  return Math.max(0, at);
}

/** The last brace that is opened and not closed, as far as strings and comments can be told by their looks. */
function unclosedBrace(text: string): number {
  const open: number[] = [];
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|\/\/.*|\/\*[^]*?\*\/|[{}]/g)) {
    if (match[0] === '{') open.push(match.index);
    else if (match[0] === '}') open.pop();
  }
  return open.at(-1) ?? text.length;
}
