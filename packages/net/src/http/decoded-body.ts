import { decompress } from '../codec/decompress.ts';
import { contentEncodings, parseContentEncoding } from '../codec/encoding.ts';
import type { ContentEncoding } from '../codec/encoding.ts';
import { NetError } from '../errors.ts';
import type { ReadBodyOptions, RejectHook, ServerRequest } from '../exchange.ts';

/** How a compressed body is read. `maxBytes` holds on the wire and, independently, once inflated. */
export interface ReadDecodedBodyOptions extends ReadBodyOptions {
  /** Encodings accepted (`compression_algorithms`). Default: all. */
  readonly encodings?: readonly ContentEncoding[];
  /** Told of encodings that were refused or did not decompress; failures to read are told to the mount's hook. */
  readonly onRejected?: RejectHook;
}

/**
 * Reads a body and undoes its Content-Encoding.
 *
 * Fails with `NetError`: what `readBody` fails with, `unsupported_encoding` (before anything is read),
 * `malformed_encoding`, `inflated_too_large`.
 */
export async function readDecodedBody(request: ServerRequest, options: ReadDecodedBodyOptions): Promise<Uint8Array> {
  const encodings = requestEncodings(request, options);
  let body = await request.readBody(options);
  if (encodings.length === 0) return body;
  try {
    for (const encoding of encodings.reverse()) body = await decompress(body, encoding, options);
  } catch (caught) {
    if (caught instanceof NetError && (caught.code === 'inflated_too_large' || caught.code === 'malformed_encoding')) {
      options.onRejected?.(caught.code, caught.message);
    }
    throw caught;
  }
  return body;
}

/** One compression is normal, two are a proxy's mistake, and more are an attempt to multiply a bomb. */
const maxEncodings = 2;

/** The encodings of a request in the order they were applied, identity left out. */
function requestEncodings(request: ServerRequest, options: ReadDecodedBodyOptions): ContentEncoding[] {
  const header = request.header('content-encoding');
  if (header === undefined) return [];
  const names = header.split(',');
  const accepted = options.encodings ?? contentEncodings;
  const found = names.map(parseContentEncoding);
  const known = found.filter((encoding) => encoding !== undefined && accepted.includes(encoding)) as ContentEncoding[];
  if (known.length < names.length || names.length > maxEncodings) {
    const message = `unsupported Content-Encoding: ${header}`;
    options.onRejected?.('unsupported_encoding', message);
    throw new NetError('unsupported_encoding', message);
  }
  return known.filter((encoding) => encoding !== 'identity');
}
