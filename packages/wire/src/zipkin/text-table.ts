/**
 * Tags or annotations of one span: texts by their place in a buffer, and what else they have. Kept and reused from span to
 * span.
 */
export class TextTable {
  count = 0;
  /** Tags: the key. */
  keyStart: Uint32Array = new Uint32Array(16);
  keyEnd: Uint32Array = new Uint32Array(16);
  textStart: Uint32Array = new Uint32Array(16);
  textEnd: Uint32Array = new Uint32Array(16);
  /** Annotations: microseconds. */
  timeLo: Uint32Array = new Uint32Array(16);
  timeHi: Uint32Array = new Uint32Array(16);
  /** Tags: the row of the attribute the tag is, or -1 when it is made up. */
  attribute: Int32Array = new Int32Array(16);
  /** The rows in the order to write them; `[0, orderCount)`. */
  readonly order: number[] = [];

  /** Adds a row of zeros and returns it. */
  add(): number {
    const row = this.count++;
    if (row === this.keyStart.length) this.#grow();
    this.keyStart[row] = this.keyEnd[row] = 0;
    this.textStart[row] = this.textEnd[row] = 0;
    this.timeLo[row] = this.timeHi[row] = 0;
    this.attribute[row] = -1;
    return row;
  }

  #grow(): void {
    const grown = (column: Uint32Array): Uint32Array => {
      const next = new Uint32Array(column.length * 2);
      next.set(column);
      return next;
    };
    this.keyStart = grown(this.keyStart);
    this.keyEnd = grown(this.keyEnd);
    this.textStart = grown(this.textStart);
    this.textEnd = grown(this.textEnd);
    this.timeLo = grown(this.timeLo);
    this.timeHi = grown(this.timeHi);
    const attribute = new Int32Array(this.attribute.length * 2);
    attribute.set(this.attribute);
    this.attribute = attribute;
  }

  /** Puts all rows in order as they were added. */
  inOrder(): void {
    this.order.length = 0;
    for (let row = 0; row < this.count; row++) this.order.push(row);
  }

  /** Orders tags by key; of equal keys the last stays. */
  byKey(bytes: Uint8Array): void {
    this.inOrder();
    const compare = (a: number, b: number): number =>
      compareBytes(bytes, this.keyStart[a]!, this.keyEnd[a]!, this.keyStart[b]!, this.keyEnd[b]!);
    this.order.sort((a, b) => compare(a, b) || b - a);
    this.#dropRepeated((a, b) => compare(a, b) === 0);
  }

  /** Orders annotations by time and text; of equal ones one stays. */
  byTime(bytes: Uint8Array): void {
    this.inOrder();
    const compare = (a: number, b: number): number =>
      this.timeHi[a]! - this.timeHi[b]! ||
      this.timeLo[a]! - this.timeLo[b]! ||
      compareBytes(bytes, this.textStart[a]!, this.textEnd[a]!, this.textStart[b]!, this.textEnd[b]!);
    this.order.sort(compare);
    this.#dropRepeated((a, b) => compare(a, b) === 0);
  }

  #dropRepeated(equal: (a: number, b: number) => boolean): void {
    const { order } = this;
    let to = 0;
    for (let from = 0; from < order.length; from++) {
      if (from > 0 && equal(order[to - 1]!, order[from]!)) continue;
      order[to++] = order[from]!;
    }
    order.length = to;
  }
}

function compareBytes(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = bytes[aStart + i]! - bytes[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}
