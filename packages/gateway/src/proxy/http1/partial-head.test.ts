import { describe, expect, it } from 'vitest';
import { PartialHead, usualHeadBytes } from './partial-head.ts';

const maxBytes = 64 * 1024;
const long = 'x'.repeat(3 * usualHeadBytes);

function after(readBytes: number): PartialHead {
  const head = new PartialHead();
  head.readInVain(readBytes);
  return head;
}

const isFar = (head: PartialHead, text: string, max = maxBytes): boolean => head.isFarFromWhole(Buffer.from(text), max);

describe('a head of which a part has come', () => {
  it('is read as long as it is short', () => {
    expect(isFar(new PartialHead(), 'x')).toBe(false);
    expect(isFar(after(usualHeadBytes), `${long}x`)).toBe(false);
  });

  it('is not read again for a few bytes more', () => {
    expect(isFar(after(long.length), `${long}x`)).toBe(true);
    expect(isFar(after(long.length), long + 'x'.repeat(usualHeadBytes - 1))).toBe(true);
  });

  it('is read again when much has come, for what is wrong with it must be seen', () => {
    expect(isFar(after(long.length), long + 'x'.repeat(usualHeadBytes))).toBe(false);
  });

  it('is read again when no more is read of any head', () => {
    expect(isFar(after(long.length), `${long}x`, long.length + 1)).toBe(false);
  });

  it.each([0, 1, 2, 3])('is read again when its end has come, %d bytes of which were here', (here) => {
    const whole = `${long}\r\n\r\n`;
    expect(isFar(after(long.length + here), whole)).toBe(false);
  });

  it('is forgotten with what it was a part of', () => {
    const head = after(long.length);
    head.reset();
    expect(isFar(head, `${long}x`)).toBe(false);
  });
});
