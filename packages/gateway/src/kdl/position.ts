/** Where something was written. Line and column count from 1; columns in UTF-16 units. */
export interface SourcePosition {
  /** The file as named by the user or by the `include` that led to it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`. */
export function formatPosition({ file, line, column }: SourcePosition): string {
  return `${file}:${line}:${column}`;
}

/** Every line break of KDL 2; CR LF is one. */
export const lineBreaks = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g;

/** Finds line and column of offsets in one text. */
export class PositionIndex {
  readonly #file: string;
  readonly #lineStarts: readonly number[];

  constructor(file: string, text: string) {
    this.#file = file;
    const starts = [0];
    for (const match of text.matchAll(lineBreaks)) {
      starts.push(match.index + match[0].length);
    }
    this.#lineStarts = starts;
  }

  /** The place `offset` UTF-16 units into the text. */
  at(offset: number): SourcePosition {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.#file, line: low + 1, column: offset - this.#lineStarts[low]! + 1 };
  }
}
