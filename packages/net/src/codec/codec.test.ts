import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetError } from '../errors.ts';
import { compress } from './compress.ts';
import { crc32c } from './crc32c.ts';
import { decompress } from './decompress.ts';
import { contentEncodings, parseContentEncoding } from './encoding.ts';
import type { ContentEncoding } from './encoding.ts';
import { xxhash32 } from './xxhash32.ts';

const limit = { maxBytes: 4_000_000, limitSetting: 'max_request_body_size' };
const compressions = contentEncodings.filter((encoding) => encoding !== 'identity');

/** Bytes that compress: runs, repeats at a distance, and noise in between. */
const compressible = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 5000 }))
        .map(([byte, length]) => new Uint8Array(length).fill(byte)),
      fc
        .constantFrom('http.request.method', 'GET', 'service.name', 'checkout', '/api/orders/{id}')
        .map((text) => Buffer.from(text)),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)));

async function outcomeOf(
  bytes: Uint8Array,
  encoding: ContentEncoding,
  maxBytes = limit.maxBytes,
): Promise<Uint8Array | NetError> {
  try {
    return await decompress(bytes, encoding, { ...limit, maxBytes });
  } catch (caught) {
    if (caught instanceof NetError) return caught;
    throw caught;
  }
}

async function codeOf(bytes: Uint8Array, encoding: ContentEncoding, maxBytes = limit.maxBytes): Promise<string> {
  const outcome = await outcomeOf(bytes, encoding, maxBytes);
  return outcome instanceof NetError ? outcome.code : `no error, ${outcome.length} bytes`;
}

describe.each(compressions)('%s', (encoding) => {
  it('gives back what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(compressible, async (bytes) => {
        const back = await decompress(await compress(bytes, encoding), encoding, limit);
        expect(Buffer.compare(Buffer.from(back), Buffer.from(bytes))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('gives back bodies larger than what is inflated in one go', async () => {
    const bytes = Buffer.alloc(3_000_000, 'a span is a span is a span ');
    const back = await decompress(await compress(bytes, encoding), encoding, limit);
    expect(bytes.equals(back)).toBe(true);
  });

  it('refuses every truncation with an error of its own', async () => {
    await fc.assert(
      fc.asyncProperty(compressible, fc.double({ min: 0, max: 1, noNaN: true }), async (bytes, share) => {
        const whole = await compress(bytes, encoding);
        // Framed formats may be cut between frames, which leaves a shorter but valid stream; an empty body is one too.
        const cut = whole.subarray(0, Math.floor(share * whole.length));
        const outcome = await outcomeOf(cut, encoding);
        if (cut.length === whole.length) return;
        if (encoding === 'x-snappy-framed' && !(outcome instanceof NetError)) {
          expect(bytes.subarray(0, outcome.length)).toEqual(new Uint8Array(outcome));
        } else expect(outcome).toMatchObject({ code: 'malformed_encoding' });
      }),
      { numRuns: 60 },
    );
  });

  it('survives flipped bits without crashing or exceeding the limit', async () => {
    await fc.assert(
      fc.asyncProperty(compressible, fc.nat(), fc.integer({ min: 0, max: 7 }), async (bytes, position, bit) => {
        const broken = Uint8Array.from(await compress(bytes, encoding));
        if (broken.length === 0) return;
        const at = position % broken.length;
        broken[at] = (broken[at] as number) ^ (1 << bit);
        const outcome = await outcomeOf(broken, encoding, 200_000);
        if (!(outcome instanceof NetError)) expect(outcome.length).toBeLessThanOrEqual(200_000);
        else expect(['malformed_encoding', 'inflated_too_large']).toContain(outcome.code);
      }),
      { numRuns: 100 },
    );
  });

  it('survives arbitrary bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const outcome = await outcomeOf(bytes, encoding, 100_000);
        if (!(outcome instanceof NetError)) expect(outcome.length).toBeLessThanOrEqual(100_000);
      }),
      { numRuns: 200 },
    );
  });

  it('stops a bomb at the limit', async () => {
    const bomb = await compress(Buffer.alloc(20_000_000), encoding);
    const outcome = await outcomeOf(bomb, encoding, 1_000_000);
    expect(outcome).toMatchObject({ code: 'inflated_too_large' });
    expect(String(outcome)).toContain('max_request_body_size allows 1000000');
  });

  it('allows exactly the limit and not one byte more', async () => {
    const packed = await compress(Buffer.alloc(100_000, 'span'), encoding);
    expect(await codeOf(packed, encoding, 100_000)).toBe('no error, 100000 bytes');
    expect(await codeOf(packed, encoding, 99_999)).toBe('inflated_too_large');
    expect(await codeOf(packed, encoding, 1)).toBe('inflated_too_large');
  });
});

describe('what senders really send', () => {
  const text = Buffer.from('what senders really send, '.repeat(400));

  it.each<[string, ContentEncoding, Uint8Array]>([
    [
      'several gzip members',
      'gzip',
      Buffer.concat([zlib.gzipSync(text.subarray(0, 900)), zlib.gzipSync(text.subarray(900))]),
    ],
    ['raw deflate as deflate', 'deflate', zlib.deflateRawSync(text)],
    ['zlib-wrapped deflate as deflate', 'deflate', zlib.deflateSync(text)],
    [
      'several zstd frames',
      'zstd',
      Buffer.concat([zlib.zstdCompressSync(text.subarray(0, 900)), zlib.zstdCompressSync(text.subarray(900))]),
    ],
    [
      'a zstd stream without announced size',
      'zstd',
      zlib.zstdCompressSync(text, {
        params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0, [zlib.constants.ZSTD_c_checksumFlag]: 1 },
      }),
    ],
    [
      'a skippable zstd frame before the data',
      'zstd',
      Buffer.concat([Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3), zlib.zstdCompressSync(text)]),
    ],
  ])('inflates %s', async (_title, encoding, bytes) => {
    expect(text.equals(await decompress(bytes, encoding, limit))).toBe(true);
  });

  it('inflates framed snappy that is only called snappy', async () => {
    expect(text.equals(await decompress(await compress(text, 'x-snappy-framed'), 'snappy', limit))).toBe(true);
  });

  it('inflates a raw snappy block that is called framed, as gRPC senders do', async () => {
    expect(text.equals(await decompress(await compress(text, 'snappy'), 'x-snappy-framed', limit))).toBe(true);
  });

  it('refuses rubbish after a gzip member', async () => {
    expect(await codeOf(Buffer.concat([zlib.gzipSync(text), Buffer.from('rubbish')]), 'gzip')).toBe(
      'malformed_encoding',
    );
  });

  it('refuses rubbish after a zstd frame', async () => {
    expect(await codeOf(Buffer.concat([zlib.zstdCompressSync(text), Buffer.from('rubbish')]), 'zstd')).toBe(
      'malformed_encoding',
    );
  });

  it('refuses a zstd window that would take more memory than allowed', async () => {
    // A frame header that asks for a window of 2^31 bytes, then one empty last block.
    const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0, 0);
    expect(String(await outcomeOf(frame, 'zstd'))).toContain('a window of 2147483648 bytes');
  });

  it('refuses a snappy length that so few bytes cannot hold before it takes the memory', async () => {
    const lie = Uint8Array.of(0x80, 0x80, 0xc0, 0x01, 0x00, 0x41);
    expect(String(await outcomeOf(lie, 'snappy', 1e9))).toContain('6 bytes cannot hold 3145728');
  });
});

describe('written-down vectors', () => {
  it('reads the snappy copies of the format description', async () => {
    // "abcd" as a literal, then a copy of 12 from 4 back with each of the three offset forms.
    const forms = [Uint8Array.of(0x21, 0x04), Uint8Array.of(0x2e, 0x04, 0x00), Uint8Array.of(0x2f, 0x04, 0, 0, 0)];
    for (const copy of forms) {
      const length = (copy[0] as number) === 0x21 ? 4 : 12;
      const head = (copy[0] as number) === 0x21 ? Uint8Array.of(0x01, 0x04) : copy;
      const block = Buffer.concat([Uint8Array.of(4 + length, 3 << 2), Buffer.from('abcd'), head]);
      expect(Buffer.from(await decompress(block, 'snappy', limit)).toString()).toBe('abcd'.repeat(1 + length / 4));
    }
  });

  it('reads what the lz4 tool writes', async () => {
    // printf 'clew clew clew clew clew clew' | lz4 -c | xxd -p
    const frame = Buffer.from('04224d186440a70f0000005f636c6577200500005020636c6577000000002890e8aa', 'hex');
    expect(Buffer.from(await decompress(frame, 'lz4', limit)).toString()).toBe('clew clew clew clew clew clew');
  });

  it('computes CRC-32C as RFC 3720 shows it', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('computes XXH32 as its specification shows it', () => {
    expect(xxhash32(new Uint8Array(0))).toBe(0x02cc5d05);
    expect(xxhash32(Buffer.from('a'))).toBe(0x550d7456);
    expect(xxhash32(Buffer.from('abc'))).toBe(0x32d153ff);
    expect(xxhash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
  });
});

describe('encoding names', () => {
  it.each<[string | undefined, ContentEncoding | undefined]>([
    [undefined, 'identity'],
    ['', 'identity'],
    ['none', 'identity'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    [' zstd ', 'zstd'],
    ['br', undefined],
  ])('reads %j as %j', (name, encoding) => {
    expect(parseContentEncoding(name)).toBe(encoding);
  });
});
