import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from './line-buffer.ts';
import { Rfc3339Millis, rfc3339Millis } from './time-text.ts';

const anyText = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

/** What has been written, as text. */
const textOf = (line: LineBuffer): string => Buffer.from(line.copy()).toString();

describe('a line', () => {
  it('escapes what ends lines or strings, and nothing else', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = new LineBuffer();
        line.quoted(Buffer.from('"'), text);
        const written = textOf(line);
        expect(JSON.parse(written)).toBe(text);
        expect(written).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
      { numRuns: 500 },
    );
  });

  it('writes short text as it writes long text', () => {
    const alone = (text: string): string => {
      const line = new LineBuffer();
      line.json(text);
      return textOf(line);
    };
    fc.assert(
      fc.property(anyText, (text) => {
        expect(alone(text + 'x'.repeat(100))).toBe(alone(text) + 'x'.repeat(100));
      }),
    );
  });

  it('writes every number a count can be', () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat({ max: 2000 })), (value) => {
        const line = new LineBuffer();
        line.number(Buffer.from(':'), value);
        expect(textOf(line)).toBe(`:${value}`);
      }),
      { examples: [[0], [9], [10], [99], [100], [999], [1000], [999_999_999], [1_000_000_000], [2 ** 53 - 1]] },
    );
  });

  it('grows without losing what it has', () => {
    const line = new LineBuffer();
    const pieces = Array.from({ length: 3000 }, (_, index) => `piece ${index};`);
    for (const [index, piece] of pieces.entries()) {
      if (index % 3 === 0) line.ascii(piece);
      else if (index % 3 === 1) line.text(piece);
      else line.append(Buffer.from(piece));
    }
    expect(textOf(line)).toBe(pieces.join(''));
  });
});

describe('the time of a line', () => {
  it('is what dates show', () => {
    const bytes = new Rfc3339Millis();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0) }), fc.nat({ max: 1500 }), (unixMs, more) => {
        for (const time of [unixMs, unixMs, unixMs + more]) {
          expect(rfc3339Millis(time)).toBe(new Date(time).toISOString());
          expect(Buffer.from(bytes.of(time)).toString()).toBe(new Date(time).toISOString());
        }
      }),
    );
  });
});
