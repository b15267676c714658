import { JsonNumber, JsonObject } from './json-tree.ts';

/** One stack frame as X-Ray wants it. */
export interface StackFrame {
  readonly path: string;
  /** 0 when unknown. */
  readonly line: number;
  readonly label: string;
}

/** What a stack trace tells of one exception: frames from the innermost outwards. */
export interface ParsedException {
  readonly type: string;
  readonly message: string;
  readonly frames: readonly StackFrame[];
}

/** The frames of a stack trace, and the exceptions that caused the one it is of, from it inwards. */
export interface ParsedStack {
  readonly frames: readonly StackFrame[];
  readonly causes: readonly ParsedException[];
}

type Parser = (lines: readonly string[]) => ParsedStack;

/** Parsers by `telemetry.sdk.language`. PHP's SDK prints stack traces as Java does. */
const parsers: ReadonlyMap<string, Parser> = new Map([
  ['java', parseJava],
  ['php', parseJava],
  ['python', parsePython],
  ['javascript', parseJavaScript],
  ['nodejs', parseJavaScript],
  ['webjs', parseJavaScript],
  ['dotnet', parseDotnet],
  ['go', parseGo],
]);

/** Reads a stack trace as the language prints it; what it does not recognise is left out. */
export function parseStack(text: string, language: string): ParsedStack {
  const parse = parsers.get(language);
  return parse === undefined ? { frames: [], causes: [] } : parse(text.split(/\r?\n/));
}

/** A frame as a member of `stack`. */
export function frameJson({ path, line, label }: StackFrame): JsonObject {
  return new JsonObject([
    ['path', path],
    ['line', new JsonNumber(String(line))],
    ['label', label],
  ]);
}

/**
 *     Type: message
 *         at [module/]pkg.Class.method(File.java:12)
 *         ... 3 more
 *     Caused by: Type: message
 */
function parseJava(lines: readonly string[]): ParsedStack {
  const all: { head: string; frames: StackFrame[] }[] = [{ head: '', frames: [] }];
  let isSuppressed = false;
  for (const line of lines.slice(1)) {
    const current = all.at(-1)!;
    if (line.startsWith('\tat ')) {
      const frame = isSuppressed ? undefined : javaFrame(line.slice(4).trimEnd());
      if (frame !== undefined) current.frames.push(frame);
    } else if (line.startsWith('Caused by: ')) {
      all.push({ head: line.slice('Caused by: '.length), frames: [] });
      isSuppressed = false;
    } else if (/^\s+Suppressed: /.test(line)) isSuppressed = true;
    else if (current.frames.length === 0 && !/^\s+\.\.\. \d+ /.test(line)) current.head += `\n${line}`;
  }
  const [thrown, ...causes] = all;
  return { frames: thrown!.frames, causes: causes.map(({ head, frames }) => ({ ...splitHead(head), frames })) };
}

function javaFrame(text: string): StackFrame | undefined {
  const open = text.indexOf('(');
  if (open < 0 || !text.endsWith(')')) return undefined;
  const label = text.slice(text.slice(0, open).lastIndexOf('/') + 1, open);
  return { ...splitPlace(text.slice(open + 1, -1)), label };
}

/** `Type: message`, the message possibly of several lines. */
function splitHead(head: string): { readonly type: string; readonly message: string } {
  const colon = head.indexOf(':');
  const trimmed = head.trim();
  return colon < 0
    ? { type: trimmed, message: '' }
    : { type: head.slice(0, colon).trim(), message: head.slice(colon + 1).trim() };
}

/** `path:12` */
function splitPlace(place: string): { readonly path: string; readonly line: number } {
  const colon = place.lastIndexOf(':');
  const line = colon < 0 ? '' : place.slice(colon + 1);
  return /^\d{1,9}$/.test(line) ? { path: place.slice(0, colon), line: Number(line) } : { path: place, line: 0 };
}

/**
 * Blocks of one traceback each, the cause first and the exception itself last, with the innermost frame last:
 *
 *     Traceback (most recent call last):
 *       File "a.py", line 1, in f
 *         code
 *     Type: message
 *
 *     During handling of the above exception, another exception occurred:
 */
function parsePython(lines: readonly string[]): ParsedStack {
  const blocks: { frames: StackFrame[]; head: string[] }[] = [{ frames: [], head: [] }];
  let isInFrame = false;
  for (const line of lines) {
    const current = blocks.at(-1)!;
    const frame = pythonFrame(line);
    if (isPythonChain(line)) blocks.push({ frames: [], head: [] });
    else if (frame !== undefined) current.frames.unshift(frame);
    else if (current.frames.length > 0 && !(isInFrame && line.startsWith('    '))) current.head.push(line);
    isInFrame = frame !== undefined || (isInFrame && line.startsWith('    '));
  }
  const [thrown, ...causes] = blocks.reverse();
  return {
    frames: thrown!.frames,
    causes: causes.map(({ head, frames }) => ({ ...splitHead(head.join('\n').trim()), frames })),
  };
}

function pythonFrame(line: string): StackFrame | undefined {
  const match = /^ {2}File "([^"]*)", line (\d{1,9})(?:, in (.*))?$/.exec(line);
  return match === null ? undefined : { path: match[1]!, line: Number(match[2]), label: match[3] ?? '' };
}

function isPythonChain(line: string): boolean {
  return (
    line.startsWith('During handling of the above exception, another exception occurred') ||
    line.startsWith('The above exception was the direct cause of the following exception')
  );
}

/** `    at label (path:12:34)`, `    at path:12:34`, `    at label (native)` */
function parseJavaScript(lines: readonly string[]): ParsedStack {
  const frames: StackFrame[] = [];
  for (const line of lines) {
    if (!/^\s+at /.test(line)) continue;
    const text = line.trim().slice(3);
    const open = text.endsWith(')') ? text.lastIndexOf(' (') : -1;
    const place = open < 0 ? text : text.slice(open + 2, -1);
    const withoutColumn = place.replace(/(:\d+):\d+$/, '$1');
    frames.push({ ...splitPlace(withoutColumn), label: open < 0 ? '' : text.slice(0, open) });
  }
  return { frames, causes: [] };
}

/** `   at Namespace.Class.Method(Type name) in /path/File.cs:line 12` */
function parseDotnet(lines: readonly string[]): ParsedStack {
  const frames: StackFrame[] = [];
  for (const line of lines) {
    const text = line.trim();
    if (!text.startsWith('at ')) continue;
    const place = text.indexOf(' in ');
    const where = place < 0 ? '' : text.slice(place + 4).replace(/:line (\d+)$/, ':$1');
    frames.push({ ...splitPlace(where), label: text.slice(3, place < 0 ? undefined : place) });
  }
  return { frames, causes: [] };
}

/** A function's line, then its place: `\t/path/file.go:12 +0x1d` */
function parseGo(lines: readonly string[]): ParsedStack {
  const frames: StackFrame[] = [];
  for (const [at, line] of lines.entries()) {
    const match = /^\s+(\S.*?:\d{1,9})(?: \+0x[0-9a-f]+)?$/.exec(line);
    const label = lines[at - 1] ?? '';
    if (match === null || label === '' || /^(?:goroutine .*:|\s.*)$/.test(label)) continue;
    frames.push({ ...splitPlace(match[1]!), label: label.replace(/^created by /, '') });
  }
  return { frames, causes: [] };
}
