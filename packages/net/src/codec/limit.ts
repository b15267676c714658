import { NetError } from '../errors.ts';

/** What decompression may produce. */
export interface InflateLimit {
  /** Inflated bytes allowed, whatever came over the wire. */
  readonly maxBytes: number;
  /** The setting that errors name, such as `max_request_body_size`. */
  readonly limitSetting: string;
}

/** The error of a body that inflates beyond its limit; `atLeast` is what was seen or announced. */
export function inflatedTooLarge(encoding: string, atLeast: number, limit: InflateLimit): NetError {
  const message = `http: request body too large: ${encoding} data inflates to at least ${atLeast} bytes, ${limit.limitSetting} allows ${limit.maxBytes}; send smaller batches or raise the setting`;
  return new NetError('inflated_too_large', message, { details: { bytes: atLeast, limitBytes: limit.maxBytes } });
}

/** The error of bytes that are not what their encoding says. */
export function malformedEncoding(encoding: string, why: string, cause?: unknown): NetError {
  return new NetError('malformed_encoding', `cannot decompress ${encoding} data: ${why}`, { cause });
}

/** Output up to this size is inflated at once on the calling thread; more would hold up other connections. */
export const maxInlineInflateBytes = 512 * 1024;

/** Lets other work run between two pieces of a long decompression. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
