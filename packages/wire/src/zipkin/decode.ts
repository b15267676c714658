import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { decodeZipkinJson, lastJsonHadV1 } from './json-decode.ts';
import { decodeZipkinV2Protobuf } from './protobuf-decode.ts';
import type { ZipkinDecodeOptions } from './span-sink.ts';
import { decodeZipkinV1Thrift } from './thrift-decode.ts';

/** The formats Zipkin clients send. A JSON list with spans of both versions counts as v1. */
export type ZipkinFormat = 'v2_json' | 'v1_json' | 'v1_thrift' | 'v2_protobuf';

/** What {@link decodeZipkin} found. */
export interface ZipkinDecoded {
  /** Spans appended. A v1 span that holds both sides of a call is two. */
  readonly spans: number;
  readonly format: ZipkinFormat;
}

const BRACKET = 0x5b;
const BRACE = 0x7b;
const THRIFT_LIST_OF_STRUCTS = 0x0c;
const PROTOBUF_SPANS = 0x0a;

/**
 * Appends the spans of a request in whichever format, told by its bytes alone, as many clients post one format to the path or
 * under the content type of another. An empty body has no spans.
 *
 * Fails with `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodeZipkin(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions = {}): ZipkinDecoded {
  const format = formatOf(bytes);
  switch (format) {
    case 'v1_thrift':
      return { spans: decodeZipkinV1Thrift(bytes, batch, options), format };
    case 'v2_protobuf':
      return { spans: decodeZipkinV2Protobuf(bytes, batch, options), format };
    case 'json': {
      const spans = decodeZipkinJson(bytes, batch, options);
      return { spans, format: lastJsonHadV1() ? 'v1_json' : 'v2_json' };
    }
    default:
      return { spans: 0, format: 'v2_json' };
  }
}

function formatOf(bytes: Uint8Array): 'json' | 'v1_thrift' | 'v2_protobuf' | 'empty' {
  const [first] = bytes;
  if (first === undefined) return 'empty';
  if (first === THRIFT_LIST_OF_STRUCTS) return 'v1_thrift';
  const at = skipSpace(bytes, 0);
  const next = bytes[at];
  // 0x0a begins protobuf, but is white space before JSON too. In JSON an element or the end of the list follows the bracket; in
  // protobuf the bracket would be a length, and after it comes the tag of a field of a span.
  const isList = next === BRACKET && isElementOrEnd(bytes[skipSpace(bytes, at + 1)]);
  if (first === PROTOBUF_SPANS && !isList && next !== BRACE) return 'v2_protobuf';
  if (next === BRACKET || next === BRACE) return 'json';
  throw inputError(
    'unknown_format',
    at,
    'Expected a list of Zipkin spans: JSON (v1 or v2), Thrift binary (v1) or protobuf (v2); the first bytes are none of these',
  );
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let pos = start;
  while (bytes[pos] === 0x20 || bytes[pos] === 0x0a || bytes[pos] === 0x0d || bytes[pos] === 0x09) pos++;
  return pos;
}

function isElementOrEnd(byte: number | undefined): boolean {
  return byte === undefined || byte === BRACE || byte === 0x5d || byte === 0x6e;
}
