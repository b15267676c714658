import { StoreError } from '../errors.ts';
import { limitSettings } from './limits.ts';

/** Parses a JSONEachRow body line by line. Fails with `result_limit` when it is longer than `maxBytes`. */
export async function parseRows<T>(body: AsyncIterable<Uint8Array>, maxBytes: number, comment: string): Promise<T[]> {
  const decoder = new TextDecoder();
  const rows: T[] = [];
  let rest = '';
  let bytes = 0;
  const take = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') rows.push(JSON.parse(line) as T);
  };
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new StoreError(
        'result_limit',
        `The result of "${comment}" has more than ${maxBytes} bytes, the most held in memory (${limitSettings.resultBytes}): narrow it`,
        { details: { statement: comment } },
      );
    }
    take(decoder.decode(chunk, { stream: true }));
  }
  take(decoder.decode());
  if (rest !== '') rows.push(JSON.parse(rest) as T);
  return rows;
}
