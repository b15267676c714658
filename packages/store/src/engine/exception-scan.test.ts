import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutException } from './exception-scan.ts';

const tag = '0123456789abcdef';
const opening = `\r\n__exception__\r\n${tag}\r\n`;
const block = (text: string): string => `${opening}${text}\n${text.length + 1} ${tag}\r\n__exception__\r\n`;

/** Cuts bytes at arbitrary places. */
async function* cut(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array, void, void> {
  let from = 0;
  for (const place of [...places].toSorted((a, b) => a - b)) {
    const to = Math.min(bytes.length, place);
    if (to > from) yield bytes.subarray(from, to);
    from = Math.max(from, to);
  }
  if (from < bytes.length) yield bytes.subarray(from);
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<{ data: Buffer; failure: string | undefined }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of withoutException(body, tag, (text) => new Error(text))) parts.push(Buffer.from(part));
  } catch (caught) {
    return { data: Buffer.concat(parts), failure: (caught as Error).message };
  }
  return { data: Buffer.concat(parts), failure: undefined };
}

// Data made of pieces of the opening is the hardest to tell from it.
const pieces = fc.array(
  fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    '__exception__',
    '__exception__\r\n',
    tag,
    'x',
    opening.slice(0, -1),
    opening.slice(0, 10),
  ),
  {
    maxLength: 12,
  },
);
const places = fc.array(fc.nat(200), { maxLength: 12 });

describe('the exception in a result body', () => {
  it('is taken out wherever the chunks are cut, and the data before it is complete', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, places, async (data, cuts) => {
        const text = data.join('');
        // The server's tag is random, so its data never holds the opening.
        fc.pre((text + opening).indexOf(opening) === text.length);
        const result = await readAll(cut(Buffer.from(text + block('Code: 395. DB::Exception: no.'), 'latin1'), cuts));
        expect(result).toEqual({ data: Buffer.from(text, 'latin1'), failure: 'Code: 395. DB::Exception: no.' });
      }),
    );
  });

  it('is not seen in data that only resembles it', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, places, async (data, cuts) => {
        const text = data.join('');
        fc.pre(!text.includes(opening));
        await expect(readAll(cut(Buffer.from(text, 'latin1'), cuts))).resolves.toEqual({
          data: Buffer.from(text, 'latin1'),
          failure: undefined,
        });
      }),
    );
  });

  it('is reported as far as it came when the connection ends within it', async () => {
    const bytes = Buffer.from(`data${opening}Code: 241. DB::Exce`, 'latin1');
    await expect(readAll(cut(bytes, [8]))).resolves.toEqual({
      data: Buffer.from('data'),
      failure: 'Code: 241. DB::Exce',
    });
  });

  it('lets the failure of the connection through when there is none', async () => {
    async function* broken(): AsyncGenerator<Uint8Array, void, void> {
      yield Buffer.from('data');
      throw new Error('connection reset');
    }
    await expect(readAll(broken())).resolves.toEqual({ data: Buffer.from('data'), failure: 'connection reset' });
  });
});
