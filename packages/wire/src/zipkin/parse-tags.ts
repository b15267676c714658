import { ValueType } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import { parseDouble, parseInteger } from '../json/decimal.ts';
import { isDigit } from '../json/json-reader.ts';
import { isText } from './special-tags.ts';

const words = { lo: 0, hi: 0 };
const doubles = new DataView(new ArrayBuffer(8));

/**
 * Gives the string attribute at `row` the type its text has: digits an integer, digits with a fraction a double, `true` and
 * `false` a boolean. A text no number would be written as (`007`) and a number too large for its type stay text.
 */
export function parseTagText(table: AttributeTable, row: number, heap: Uint8Array): void {
  if (table.types[row] !== ValueType.STRING) return;
  const at = table.lo[row]!;
  const length = table.hi[row]!;
  if (isText(heap, at, length, 'true') || isText(heap, at, length, 'false')) {
    table.types[row] = ValueType.BOOL;
    table.lo[row] = heap[at] === 0x74 ? 1 : 0;
    table.hi[row] = 0;
    return;
  }
  const point = numberForm(heap, at, at + length);
  if (point === 0) return;
  if (point < 0) {
    if (!parseInteger(heap, at, at + length, true, words)) return;
    table.types[row] = ValueType.INT;
  } else {
    doubles.setFloat64(0, parseDouble(heap, at, at + length), true);
    words.lo = doubles.getUint32(0, true);
    words.hi = doubles.getUint32(4, true);
    table.types[row] = ValueType.DOUBLE;
  }
  table.lo[row] = words.lo;
  table.hi[row] = words.hi;
}

/** 0 when the text is no number; -1 for `-?digits` without needless zeros; 1 when a fraction follows. */
function numberForm(bytes: Uint8Array, start: number, end: number): -1 | 0 | 1 {
  let pos = start;
  const isNegative = pos < end && bytes[pos] === 0x2d;
  if (isNegative) pos++;
  const first = pos;
  while (pos < end && isDigit(bytes[pos])) pos++;
  const digits = pos - first;
  if (digits === 0 || digits > 300) return 0;
  if (bytes[first] === 0x30 && digits > 1) return 0;
  if (pos === end) return isNegative && bytes[first] === 0x30 ? 0 : -1;
  if (bytes[pos] !== 0x2e) return 0;
  const fraction = ++pos;
  while (pos < end && isDigit(bytes[pos])) pos++;
  return pos === end && pos > fraction ? 1 : 0;
}
