import { describe, expect, it } from 'vitest';
import { parseRows } from './json-rows.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array, void, void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('rows in JSON lines', () => {
  it('are refused beyond the bytes allowed, naming the setting', async () => {
    await expect(parseRows(inChunks('{"a":1}\n', 8), 7, 'q')).rejects.toMatchObject({
      code: 'result_limit',
      message: expect.stringContaining('clew_storage.queries.max_result_bytes'),
    });
  });

  it('are read wherever the chunks are cut, within characters too', async () => {
    const rows = [{ a: 'grün 🧶' }, { a: 'two\nlines' }, { a: '' }];
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    for (let size = 1; size < 20; size++)
      await expect(parseRows(inChunks(text, size), 1_000, 'q')).resolves.toEqual(rows);
  });

  it('are read without a last line break', async () => {
    await expect(parseRows(inChunks('{"a":1}', 3), 100, 'q')).resolves.toEqual([{ a: 1 }]);
  });
});
