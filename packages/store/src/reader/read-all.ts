import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { StoreError } from '../errors.ts';

/** Bytes of one Native result held in memory unless the caller says otherwise. */
export const DEFAULT_MAX_RESULT_BYTES = 512 * 1024 * 1024;

/** Runs a query and gives its whole result in Native format. Throws `result_limit` when it has more than `maxBytes`. */
export async function readAll(
  client: SqlClient,
  statement: string,
  options: StatementOptions,
  maxBytes: number = DEFAULT_MAX_RESULT_BYTES,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of await client.stream(statement, { ...options, format: 'Native' })) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new StoreError(
        'result_limit',
        `${options.comment}: the result has more than ${maxBytes} bytes (setting clew_query.limits.max_result_bytes); ask for less, or raise the setting`,
        { details: { limitBytes: maxBytes } },
      );
    }
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
