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
    decodeEither(bytes, batch);
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

/** The first byte of protobuf: field 1, length-delimited. It is also a line feed. */
const lineFeed = 0x0a;

/**
 * A line feed begins a protobuf request and may begin a JSON text, and the brace behind it is also a length of 123. Only reading
 * it decides: a text is never a whole protobuf message.
 */
function decodeEither(bytes: Uint8Array, batch: SpanBatch): void {
  const json = firstVisible(bytes) === 0x7b;
  if (json && bytes[0] !== lineFeed) return decodeJson(bytes, batch);
  try {
    decodeTraces(bytes, batch);
  } catch (caught) {
    if (!json) throw caught;
    decodeJson(bytes, batch);
  }
}

/** The first byte that is no white space. */
function firstVisible(bytes: Uint8Array): number | undefined {
  return bytes.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== lineFeed);
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
