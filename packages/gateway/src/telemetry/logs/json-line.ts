/** Control characters and line separators: each ends a line, or worse, for some reader. */
const controls = /[\p{Cc}\u2028\u2029]/gu;

/** One line of JSON, its line break included, for logs that are written rarely; members that are undefined are left out. */
export function jsonLine(members: Readonly<Record<string, unknown>>): string {
  return `${escapeControls(JSON.stringify(members))}\n`;
}

/** `text` with every control character as `\u` and four digits. */
export function escapeControls(text: string): string {
  return text.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
