import { lineBreaks } from './position.ts';
import type { SourcePosition } from './position.ts';

const maxLineCharacters = 160;

/** The line of `position` with one line before and after, numbered, and a caret below the place. */
export function excerptAt(text: string, { line, column }: SourcePosition): string {
  const lines = text.split(lineBreaks);
  const width = String(line + 1).length;
  const shown: string[] = [];
  // Long lines are shown from a place that still holds the caret.
  const from = column > maxLineCharacters ? column - maxLineCharacters / 2 : 0;
  for (const number of [line - 1, line, line + 1]) {
    const content = lines[number - 1];
    if (content === undefined) continue;
    const visible = content.slice(from, from + maxLineCharacters).replaceAll(/(?!\t)\p{Cc}/gu, '\ufffd');
    shown.push(`${String(number).padStart(width)} | ${visible}`.trimEnd());
    if (number !== line) continue;
    // A tab before the caret is kept, so that the caret stands right however wide a tab is shown.
    const before = visible.slice(0, column - 1 - from).replaceAll(/[^\t]/g, ' ');
    shown.push(`${' '.repeat(width)} | ${before}^`);
  }
  return shown.join('\n');
}
