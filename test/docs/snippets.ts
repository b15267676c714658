/** A fenced block of a page. */
export interface Snippet {
  /** `README.md:42`, for failures. */
  readonly place: string;
  readonly language: string;
  /** `file=NAME` behind the language: under this name later blocks of the page find it. */
  readonly file: string | undefined;
  readonly text: string;
}

/** Every fenced block of a page, in order. */
export function snippetsOf(page: string, markdown: string): Snippet[] {
  const found: Snippet[] = [];
  let open: { readonly line: number; readonly info: string; readonly lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (open === undefined) {
      if (fence) open = { line: index + 1, info: fence[1]!.trim(), lines: [] };
    } else if (fence) {
      const [language = '', ...rest] = open.info.split(' ');
      const file = rest.find((word) => word.startsWith('file='))?.slice('file='.length);
      found.push({ place: `${page}:${open.line}`, language, file, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: a fenced block that is not closed`);
  return found;
}
