import { fail, ok } from './result.ts';
import type { Result } from './result.ts';

const bytesPerUnit: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
};

/**
 * Reads a size such as `64MiB`, `1.5 GB`, `4Ki` or `1048576`. Units ending in `i` or `iB` are powers of 1024, the others of
 * 1000, in any case.
 *
 * @returns whole bytes, or a sentence saying what is wrong.
 */
export function parseByteSize(text: string): Result<number, string> {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(text);
  if (match === null) {
    return fail(`invalid size ${JSON.stringify(text)}: write a number and a unit, such as "64MiB"`);
  }
  const [, digits = '', unit = ''] = match;
  const scale = bytesPerUnit[unit.toLowerCase()];
  if (scale === undefined) {
    return fail(
      `unknown unit ${JSON.stringify(unit)} in size ${JSON.stringify(text)}: use B, KiB, MiB, GiB, TiB, kB, MB, GB or TB`,
    );
  }
  const bytes = Math.round(Number(digits) * scale);
  if (!Number.isSafeInteger(bytes)) return fail(`size ${JSON.stringify(text)} is too large`);
  return ok(bytes);
}

const binaryUnits = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Writes a size for people: exact where a unit divides it, else with one decimal. */
export function formatByteSize(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const next of binaryUnits) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`;
}
