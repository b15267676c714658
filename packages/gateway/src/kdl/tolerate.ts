import { InvalidKdlError } from '@bgotink/kdl';

/** Leads from offsets in a text with insertions of one character each back to the text without them. */
export class OffsetMap {
  /** Where the inserted characters lie in the text that holds them, ascending. */
  readonly #insertedAt: readonly number[];

  /** @param insertedBefore offsets in the original text, ascending */
  constructor(insertedBefore: readonly number[]) {
    this.#insertedAt = insertedBefore.map((offset, index) => offset + index);
  }

  toOriginal(offset: number): number {
    let low = 0;
    let high = this.#insertedAt.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#insertedAt[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return offset - low;
  }
}

/** A text whose bare keywords were given their `#`. */
export interface Repaired {
  readonly text: string;
  readonly offsets: OffsetMap;
  readonly keywords: readonly { readonly keyword: string; readonly offset: number }[];
}

const bareKeyword = /^Invalid keyword "(true|false|null)"/;

/**
 * Files written for the first version of KDL spell `#true` as `true`. When that is all a parser complains about, the text
 * with the missing characters is worth another look; undefined when something else is wrong as well or nothing can be done.
 */
export function repairBareKeywords(text: string, error: Error): Repaired | undefined {
  if (!(error instanceof InvalidKdlError)) return undefined;
  const keywords: { keyword: string; offset: number }[] = [];
  for (const detail of error.flat()) {
    const keyword = bareKeyword.exec(detail.message)?.[1];
    // The parser points behind the keyword.
    const end = detail.start?.offset;
    if (keyword === undefined || end === undefined) continue;
    const offset = end - keyword.length;
    if (text.slice(offset, end) === keyword) keywords.push({ keyword, offset });
  }
  if (keywords.length === 0) return undefined;
  keywords.sort((a, b) => a.offset - b.offset);
  let repaired = '';
  let from = 0;
  for (const { offset } of keywords) {
    repaired += `${text.slice(from, offset)}#`;
    from = offset;
  }
  return {
    text: repaired + text.slice(from),
    offsets: new OffsetMap(keywords.map(({ offset }) => offset)),
    keywords,
  };
}
