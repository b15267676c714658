import { describe, expect, it } from 'vitest';
import { formatByteSize, parseByteSize } from './byte-size.ts';

describe('parseByteSize', () => {
  it.each(['', 'MiB', '-1', '1 MiX', '1e9', '99999999 TiB'])('refuses %j with a reason', (text) => {
    const result = parseByteSize(text);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error).toContain(JSON.stringify(text));
  });

  it.each([
    ['1024', 1024],
    ['64MiB', 64 * 2 ** 20],
    ['64 mib', 64 * 2 ** 20],
    ['1.5GB', 1.5e9],
    ['4Ki', 4096],
    ['10 GiB', 10 * 2 ** 30],
  ])('reads %s', (text, bytes) => {
    expect(parseByteSize(text)).toEqual({ ok: true, value: bytes });
  });
});

describe('formatByteSize', () => {
  it('chooses the unit that leaves a small number', () => {
    expect([5, 1024, 1536, 10 * 2 ** 30].map(formatByteSize)).toEqual(['5 B', '1 KiB', '1.5 KiB', '10 GiB']);
  });
});
