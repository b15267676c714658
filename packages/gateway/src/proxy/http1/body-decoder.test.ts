import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyDecoder, Framing } from './body-decoder.ts';

interface Decoded {
  readonly body: string;
  readonly trailers: readonly string[];
  readonly ended: boolean;
  readonly problem: string;
  /** Bytes behind the body. */
  readonly rest: string;
}

/** Reads text in pieces, as a connection would. */
function decode(pieces: readonly string[], framing: Framing = Framing.CHUNKED, length = 0): Decoded {
  const decoder = new BodyDecoder();
  decoder.begin(framing, length);
  let body = '';
  let rest = '';
  const onBodyPiece = (piece: Buffer): void => {
    expect(piece.length).toBeGreaterThan(0);
    body += piece.toString('latin1');
  };
  for (const text of pieces) {
    const piece = Buffer.from(text, 'latin1');
    const end = decoder.ended ? 0 : decoder.read(piece, 0, { onBodyPiece });
    if (decoder.problem !== '') break;
    rest += piece.toString('latin1', end);
  }
  const { trailers, ended, problem } = decoder;
  return { body, trailers, ended, problem, rest };
}

describe('chunked bodies that are none', () => {
  it.each([
    ['no size', '\r\n'],
    ['a size that is no number', 'zz\r\n'],
    ['a sign', '+3\r\nabc\r\n'],
    ['a prefix', '0x3\r\nabc\r\n'],
    ['a space before the size', ' 3\r\nabc\r\n'],
    ['a space behind the size', '3 \r\nabc\r\n'],
    ['a tab behind the size', '3\t\r\nabc\r\n'],
    ['a size of more than 52 bits', '10000000000000\r\n'],
    ['a size with zeros in front beyond all measure', '00000000000003\r\nabc\r\n'],
    ['a size ended by a lone line feed', '3\nabc\r\n'],
    ['a size ended by a lone carriage return', '3\rabc\r\n'],
    ['an extension without a name', '3;\r\nabc\r\n'],
    ['an extension without a value', '3;a=\r\nabc\r\n'],
    ['an extension with spaces', '3 ; a=b\r\nabc\r\n'],
    ['an extension with a quote that does not end', '3;a="b\r\nabc\r\n'],
    ['text behind a quote', '3;a="b"c\r\nabc\r\n'],
    ['a line feed in a quote', '3;a="\n"\r\nabc\r\n'],
    ['a carriage return in a quote', '3;a="\r"\r\nabc\r\n'],
    ['a null byte in an extension', '3;a\0\r\nabc\r\n'],
    ['a chunk longer than its size', '3\r\nabcd\r\n'],
    ['a chunk shorter than its size', '4\r\nabc\r\n0\r\n\r\n'],
    ['a chunk ended by a lone line feed', '3\r\nabc\n0\r\n\r\n'],
    ['a chunk ended by a lone carriage return', '3\r\nabc\r0\r\n\r\n'],
    ['trailers without a colon', '0\r\nabc\r\n\r\n'],
    ['trailers with a space before the colon', '0\r\na : b\r\n\r\n'],
    ['trailers that continue', '0\r\na: b\r\n c\r\n\r\n'],
    ['trailers ended by lone line feeds', '0\r\na: b\n\n'],
    ['a lone line feed at the end', '0\r\n\n'],
    ['a null byte in a trailer', '0\r\na: \0\r\n\r\n'],
  ])('are refused: %s', (_title, text) => {
    expect(decode([text])).not.toMatchObject({ problem: '' });
    // However the bytes come, it is seen; and never later than with the last of them.
    expect(decode(text.split(''))).not.toMatchObject({ problem: '' });
  });

  it('are refused as soon as it is clear, not when a line ends', () => {
    expect(decode(['GET / HTTP']).problem).toContain('no number');
    expect(decode(['3', ';a', '\0']).problem).toContain('no number');
    expect(decode(['3\r', 'x']).problem).not.toBe('');
  });

  it('are refused when a size and its extensions exceed 4096 bytes, whole or in pieces', () => {
    const line = (bytes: number): string => `1;a=${'x'.repeat(bytes - 6)}\r\nx\r\n0\r\n\r\n`;
    for (const cut of [line, (bytes: number) => line(bytes).split('')]) {
      expect(decode([cut(4096)].flat())).toMatchObject({ problem: '', ended: true, body: 'x' });
      expect(decode([cut(4097)].flat()).problem).toContain('4096 bytes');
    }
    expect(decode([`1;a=${'x'.repeat(5000)}`]).problem).toContain('4096 bytes');
    expect(decode([`${'0'.repeat(5000)}`]).problem).not.toBe('');
  });

  it('are refused when all extensions together exceed 16 KiB', () => {
    const chunk = `1;a=${'x'.repeat(4000)}\r\nx\r\n`;
    expect(decode([`${chunk.repeat(4)}0\r\n\r\n`])).toMatchObject({ problem: '', body: 'xxxx' });
    expect(decode([`${chunk.repeat(5)}0\r\n\r\n`]).problem).toContain('16384 bytes');
  });

  it('are refused when trailers exceed 16 KiB, whole or in pieces', () => {
    const fields = (bytes: number): string => `0\r\na: ${'x'.repeat(bytes - 7)}\r\n\r\n`;
    for (const pieces of [(text: string) => [text], (text: string) => text.match(/[^]{1,99}/g)!]) {
      expect(decode(pieces(fields(16 * 1024)))).toMatchObject({ problem: '', ended: true });
      expect(decode(pieces(fields(16 * 1024 + 1))).problem).toContain('16384 bytes');
      expect(decode(pieces(`0\r\na: ${'x'.repeat(20_000)}`)).problem).toContain('16384 bytes');
    }
  });
});

describe('chunked bodies', () => {
  it('are the same wherever they are cut', () => {
    const text =
      '5;a=b;c="d\\"e"\r\nhello\r\n00a\r\n\r\n0123456\n\r\nF;x\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n\r\n000;last\r\nX-A: 1\r\nx-b:\t2 \r\n\r\nGET /';
    const whole = decode([text]);
    expect(whole).toEqual({
      body: 'hello\r\n0123456\n0\r\n\r\n0\r\n\r\n0\r\n\r\n',
      trailers: ['X-A', '1', 'x-b', '2'],
      ended: true,
      problem: '',
      rest: 'GET /',
    });
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        expect([first, second, decode(pieces)]).toEqual([first, second, whole]);
      }
    }
    expect(decode(text.split(''))).toEqual(whole);
  });

  it('are the chunks put together, whatever the chunks are', () => {
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,6}$/);
    const quoted = fc.stringMatching(/^(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff]){0,6}$/).map((text) => `"${text}"`);
    const extension = fc
      .tuple(token, fc.option(fc.oneof(token, quoted), { nil: undefined }))
      .map(([name, value]) => (value === undefined ? `;${name}` : `;${name}=${value}`));
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((data) => Buffer.from(data).toString('latin1'));
    const chunk = fc.record({
      data: bytes,
      zeros: fc.nat(3),
      upper: fc.boolean(),
      extension: fc.option(extension, { nil: '' }),
    });
    const cuts = fc.array(fc.nat(400), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), cuts, (chunks, positions) => {
        let text = '';
        for (const { data, zeros, upper, extension: more } of chunks) {
          const size = '0'.repeat(zeros) + data.length.toString(16);
          text += `${upper ? size.toUpperCase() : size}${more}\r\n${data}\r\n`;
        }
        text += '0\r\nA: b\r\n\r\nrest';
        const at = [
          0,
          ...positions.filter((position) => position < text.length).toSorted((a, b) => a - b),
          text.length,
        ];
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        const body = chunks.map(({ data }) => data).join('');
        expect(decode(pieces)).toEqual({ body, trailers: ['A', 'b'], ended: true, problem: '', rest: 'rest' });
      }),
    );
  });

  it.each([
    ['small ones together', Array<number>(1000).fill(1), [1000]],
    ['large ones each by itself', [5000, 5000, 5000], [5000, 5000, 5000]],
    ['a large one with the small ones behind it', [5000, 1, 2, 5000, 3], [5003, 5003]],
  ])('are passed on %s', (_how, sizes, pieces) => {
    const chunks = sizes.map((size, index) => String.fromCharCode(0x61 + (index % 26)).repeat(size));
    const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
    const decoder = new BodyDecoder();
    decoder.begin(Framing.CHUNKED);
    const passed: string[] = [];
    const whole = Buffer.from(`GET${text}0\r\n\r\nrest`, 'latin1');
    const end = decoder.read(whole, 3, { onBodyPiece: (piece) => passed.push(piece.toString('latin1')) });
    expect(passed.map(({ length }) => length)).toEqual(pieces);
    expect(passed.join('')).toBe(chunks.join(''));
    expect({ ended: decoder.ended, rest: whole.toString('latin1', end) }).toEqual({ ended: true, rest: 'rest' });
  });

  it('that break off pass on what came before', () => {
    expect(decode(['1\r\na\r\n1\r\nb\r\nz'])).toMatchObject({ body: 'ab', ended: false });
    expect(decode(['1\r\na\r\n1\r\nb\r\nz']).problem).not.toBe('');
  });

  it('take the largest size there may be', () => {
    const { problem, ended, body } = decode(['fffffffffffff\r\nabc']);
    expect({ problem, ended, body }).toEqual({ problem: '', ended: false, body: 'abc' });
  });

  it('are not over when the sender closes', () => {
    const decoder = new BodyDecoder();
    decoder.begin(Framing.CHUNKED);
    decoder.read(Buffer.from('3\r\nabc\r\n'), 0, { onBodyPiece() {} });
    expect(decoder.close()).toBe(false);
  });

  it('leave nothing behind for the next', () => {
    const decoder = new BodyDecoder();
    const none = { onBodyPiece() {} };
    decoder.begin(Framing.CHUNKED);
    decoder.read(Buffer.from('3;a="'), 0, none);
    decoder.begin(Framing.CHUNKED);
    decoder.read(Buffer.from('0\r\nA: b\r\n\r\n'), 0, none);
    expect(decoder).toMatchObject({ ended: true, problem: '', trailers: ['A', 'b'] });
    decoder.begin(Framing.CHUNKED);
    decoder.read(Buffer.from('nonsense'), 0, none);
    expect(decoder.problem).not.toBe('');
    decoder.begin(Framing.LENGTH, 1);
    expect(decoder).toMatchObject({ ended: false, problem: '', trailers: [], leftBytes: 1 });
  });
});

describe('bodies of known length', () => {
  it('end there', () => {
    expect(decode(['abc', 'defGET'], Framing.LENGTH, 6)).toMatchObject({ body: 'abcdef', ended: true, rest: 'GET' });
    expect(decode(['abc'], Framing.LENGTH, 6)).toMatchObject({ body: 'abc', ended: false });
  });
  it('may be empty, and have ended before anything is read', () => {
    expect(decode(['GET'], Framing.LENGTH, 0)).toMatchObject({ body: '', ended: true, rest: 'GET' });
    expect(decode(['GET'], Framing.NONE)).toMatchObject({ body: '', ended: true, rest: 'GET' });
  });
  it('are not over when the sender closes before', () => {
    const decoder = new BodyDecoder();
    decoder.begin(Framing.LENGTH, 2);
    decoder.read(Buffer.from('a'), 0, { onBodyPiece() {} });
    expect([decoder.leftBytes, decoder.close()]).toEqual([1, false]);
    decoder.read(Buffer.from('b'), 0, { onBodyPiece() {} });
    expect([decoder.leftBytes, decoder.close()]).toEqual([0, true]);
  });
});

describe('bodies that end with their connection', () => {
  it('take everything until then', () => {
    expect(decode(['a', 'b\r\n\r\n', '0\r\n\r\n'], Framing.UNTIL_CLOSE)).toMatchObject({
      body: 'ab\r\n\r\n0\r\n\r\n',
      ended: false,
      rest: '',
    });
    const decoder = new BodyDecoder();
    decoder.begin(Framing.UNTIL_CLOSE);
    expect([decoder.close(), decoder.ended]).toEqual([true, true]);
  });
});
