// What generators of HTTP/1.1 bytes share: chance that can be repeated, changes of single bytes, and cuts.
import { seededRandom } from '../../../../test/support/random.ts';

/** Chance of one run, the same for the same seed. */
export class Chance {
  readonly #below: (limit: number) => number;

  constructor(seed: number) {
    this.#below = seededRandom(seed);
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return this.#below(limit);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.#below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  /** As a rule the first; once in `times` any of the others. */
  usually<T>(times: number, usual: T, others: readonly T[]): T {
    return this.oneIn(times) ? this.pick(others) : usual;
  }

  /** `count` items made one after the other. */
  list<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }
}

/** Bytes parsers stumble over. */
const awkward = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  'f',
  '\r\n ',
  '\n\n',
];

/** Text with one change: something inserted, deleted, replaced, moved or doubled. */
export function mutated(text: string, chance: Chance): string {
  const at = chance.below(text.length + 1);
  switch (chance.below(7)) {
    case 0:
      return text.slice(0, at) + chance.pick(awkward) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + chance.below(3));
    case 2:
      return text.slice(0, at) + chance.pick(awkward) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + String.fromCharCode(chance.below(256)) + text.slice(at + 1);
    case 4:
      return onLines(text, (lines, index) => lines.splice(index, 0, lines[index]!), chance);
    case 5:
      return onLines(text, (lines, index) => lines.splice(index, 1), chance);
    default:
      return onLineEnd(text, chance);
  }
}

function onLines(text: string, change: (lines: string[], index: number) => void, chance: Chance): string {
  const lines = text.split('\r\n');
  change(lines, chance.below(lines.length));
  return lines.join('\r\n');
}

function onLineEnd(text: string, chance: Chance): string {
  const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index);
  if (ends.length === 0) return text;
  const at = chance.pick(ends);
  return text.slice(0, at) + chance.pick(['\n', '\r', '\r\r\n', ' \r\n', '\r\n\t', '\r\n ', '']) + text.slice(at + 2);
}

/** The bytes in pieces, cut where chance wants it; now and then everywhere. */
export function cut(bytes: Buffer, chance: Chance): Buffer[] {
  const pieces: Buffer[] = [];
  const everywhere = chance.oneIn(20);
  const cuts = everywhere ? bytes.length : chance.below(5);
  const positions = everywhere ? Array.from(bytes.keys()) : chance.list(cuts, () => chance.below(bytes.length + 1));
  let from = 0;
  for (const at of positions.toSorted((a, b) => a - b)) {
    if (at > from) pieces.push(bytes.subarray(from, at));
    from = Math.max(from, at);
  }
  if (from < bytes.length) pieces.push(bytes.subarray(from));
  return pieces;
}
