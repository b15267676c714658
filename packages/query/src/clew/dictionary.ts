/** Numbers distinct texts in the order they are met. */
export class Dictionary {
  readonly values: string[] = [];
  readonly #index = new Map<string, number>();

  /** The number of `text`; -1 for the empty text, which stands for "none". */
  indexOf(text: string): number {
    if (text === '') return -1;
    const known = this.#index.get(text);
    if (known !== undefined) return known;
    const index = this.values.length;
    this.values.push(text);
    this.#index.set(text, index);
    return index;
  }
}
