import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hexOf,
  parseSpanId,
  parseTraceId,
  readHex,
  readSpanId,
  readTraceId,
  traceIdOf,
  spanIdOf,
  writeSpanId,
  writeTraceId,
} from './ids.ts';
import type { TraceId } from './ids.ts';

describe('ids', () => {
  it('refuse what is no hexadecimal number, too long, empty or zero', () => {
    for (const text of ['', '0', '0'.repeat(32), 'g1', '1 ', ' 1', '0x1', 'é', '1'.repeat(33)]) {
      expect(parseTraceId(text), text).toBeUndefined();
      expect(() => traceIdOf(text)).toThrow(expect.objectContaining({ code: 'invalid_id' }));
    }
    expect(parseSpanId('1'.repeat(17))).toBeUndefined();
    expect(() => spanIdOf('-1')).toThrow('cannot read "-1" as a span id: expected 1 to 16 hexadecimal digits');
  });

  it('refuse to write a text that only claims to be an id', () => {
    expect(() => writeTraceId('xyz' as TraceId, new Uint8Array(16), 0)).toThrow(
      expect.objectContaining({ code: 'invalid_id' }),
    );
  });

  it('are padded on the left and lower-case, so that short and long forms are one trace', () => {
    expect(parseTraceId('8F1608d67809823')).toBe('000000000000000008f1608d67809823');
    expect(parseSpanId('A')).toBe('000000000000000a');
  });

  it('read zero bytes as absent and write absent as zero bytes', () => {
    const bytes = new Uint8Array(24).fill(7);
    writeTraceId('', bytes, 0);
    writeSpanId('', bytes, 16);
    expect(bytes).toEqual(new Uint8Array(24));
    expect([readTraceId(bytes, 0), readSpanId(bytes, 16)]).toEqual(['', '']);
  });

  it('survive the way into bytes and back, at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(5), (id, offset) => {
        fc.pre(id.some((byte) => byte !== 0));
        const text = readTraceId(id, 0);
        const bytes = new Uint8Array(32);
        writeTraceId(text, bytes, offset);
        expect(bytes.slice(offset, offset + 16)).toEqual(id);
        expect(parseTraceId(text.toUpperCase())).toBe(text);
        expect(readHex(text, bytes, 0, 16)).toBe(true);
        expect(hexOf(bytes, 0, 16)).toBe(text);
      }),
    );
  });
});
