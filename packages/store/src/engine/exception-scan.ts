import { exceptionWord } from './protocol.ts';

/**
 * Passes a result body on and takes out the exception that ClickHouse appends when a statement fails after its first
 * bytes were sent. The block is `\r\n__exception__\r\n<tag>\r\n<text>\n<length> <tag>\r\n__exception__\r\n`; the tag is random
 * and comes with the response headers, so data cannot imitate it. As a chunk may end inside the opening, as many bytes as
 * the opening has are held back until more arrive.
 *
 * Yields the data; throws what `toError` makes of the exception's text.
 */
export async function* withoutException(
  body: AsyncIterable<Uint8Array>,
  tag: string,
  toError: (text: string) => Error,
): AsyncGenerator<Uint8Array, void, void> {
  const opening = Buffer.from(`\r\n${exceptionWord}\r\n${tag}\r\n`, 'latin1');
  let held: Buffer = Buffer.alloc(0);
  const source = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await source.next();
      if (next.done) break;
      const chunk = asBuffer(next.value);
      const joined: Buffer = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const at = joined.indexOf(opening);
      if (at >= 0) {
        if (at > 0) yield joined.subarray(0, at);
        throw toError(await exceptionText(joined.subarray(at + opening.length), source, tag));
      }
      const keep = possibleOpening(joined, opening);
      if (joined.length > keep) yield joined.subarray(0, joined.length - keep);
      held = keep === 0 ? Buffer.alloc(0) : Buffer.from(joined.subarray(joined.length - keep));
    }
    if (held.length > 0) yield held;
  } finally {
    await source.return?.();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Length of the longest end of a chunk that could be the start of the opening. */
function possibleOpening(chunk: Buffer, opening: Buffer): number {
  const from = Math.max(0, chunk.length - opening.length + 1);
  for (let at = chunk.indexOf(0x0d, from); at >= 0; at = chunk.indexOf(0x0d, at + 1)) {
    const length = chunk.length - at;
    if (chunk.compare(opening, 0, length, at) === 0) return length;
  }
  return 0;
}

const maxExceptionBytes = 1024 * 1024;

async function exceptionText(first: Buffer, source: AsyncIterator<Uint8Array>, tag: string): Promise<string> {
  const parts = [first];
  let bytes = first.length;
  while (bytes < maxExceptionBytes) {
    // Servers may close the connection right behind the exception; what has come so far is the text then.
    const next = await source.next().catch(() => ({ done: true, value: undefined }) as const);
    if (next.done) break;
    const part = asBuffer(next.value);
    parts.push(part);
    bytes += part.length;
  }
  const text = Buffer.concat(parts).toString('utf8');
  const closing = new RegExp(`\\n\\d+ ${tag}\\r\\n${exceptionWord}\\s*$`).exec(text);
  return (closing === null ? text : text.slice(0, closing.index)).trim();
}
