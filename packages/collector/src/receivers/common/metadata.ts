import type { RequestHeaders } from '@clew/net';

/** Request headers or gRPC metadata as the pipeline's context carries them: lower-case names, lists of values. */
export function requestMetadata(headers: RequestHeaders): ReadonlyMap<string, readonly string[]> {
  const metadata = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':')) continue;
    metadata.set(name, typeof value === 'string' ? [value] : value);
  }
  return metadata;
}
