import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { SpanBatch } from '@clew/model';
import { WireError, decodeTraces, decodeTracesJson, decodeTracesJsonLines } from '@clew/wire/otlp';
import { errorMessage } from '@clew/base';
import { ClewError } from '../errors.ts';

/** Files larger than this are refused: they would have to be held in memory whole. */
const maxFileBytes = 1024 ** 3;

/** Reads a file of OTLP spans: protobuf, JSON, or one JSON document per line; gzip around any of them. */
export async function readSpanFile(path: string): Promise<SpanBatch> {
  const bytes = await readInflated(path);
  const batch = new SpanBatch();
  try {
    if (looksLikeJson(bytes)) decodeJson(bytes, batch);
    else decodeTraces(bytes, batch);
  } catch (caught) {
    if (!(caught instanceof WireError)) throw caught;
    throw new ClewError(
      'bad_input',
      `${path} is no OTLP trace file (protobuf, JSON or JSON lines): ${caught.message}`,
      { cause: caught },
    );
  }
  return batch;
}

async function readInflated(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (caught) {
    throw new ClewError('bad_input', `cannot read ${path}: ${errorMessage(caught)}`, { cause: caught });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: maxFileBytes });
  } catch (caught) {
    throw new ClewError(
      'bad_input',
      `${path} does not decompress to at most ${maxFileBytes} bytes: ${errorMessage(caught)}`,
      { cause: caught },
    );
  }
}

/** JSON begins with a brace; a protobuf request begins with the tag of field 1, a line feed, so white space before it does not count. */
function looksLikeJson(bytes: Uint8Array): boolean {
  let at = 0;
  while (
    bytes[at] === 0x20 ||
    bytes[at] === 0x09 ||
    bytes[at] === 0x0d ||
    (bytes[at] === 0x0a && bytes[at + 1] === 0x7b)
  )
    at++;
  return bytes[at] === 0x7b;
}

/** One document, or several separated by line ends. */
function decodeJson(bytes: Uint8Array, batch: SpanBatch): void {
  try {
    decodeTracesJson(bytes, batch);
  } catch (caught) {
    if (!bytes.includes(0x0a)) throw caught;
    decodeTracesJsonLines(bytes, batch);
  }
}
