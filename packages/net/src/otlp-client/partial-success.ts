import { readFields } from '../status/protobuf.ts';
import type { PartialSuccess } from './types.ts';

/** Field 1 of every Export…ServiceResponse: rejected (1, int64) and error_message (2, string). */
export function partialSuccessFromProtobuf(bytes: Uint8Array): PartialSuccess | undefined {
  let rejected = 0n;
  let message = '';
  for (const field of readFields(bytes, 'an OTLP response')) {
    if (field.number !== 1 || !field.bytes) continue;
    for (const part of readFields(field.bytes, 'a partial success')) {
      if (part.number === 1) rejected = BigInt.asIntN(64, part.varint ?? 0n);
      if (part.number === 2 && part.bytes) message = Buffer.from(part.bytes).toString('utf8');
    }
  }
  return rejected === 0n && message === '' ? undefined : { rejected, message };
}

/** The same from JSON, where each signal has its own word for what was rejected. */
export function partialSuccessFromJson(text: string): PartialSuccess | undefined {
  const parsed = JSON.parse(text) as unknown;
  const partial = field(parsed, 'partialSuccess') ?? field(parsed, 'partial_success');
  const names = ['rejectedSpans', 'rejectedDataPoints', 'rejectedLogRecords', 'rejected_spans'];
  const rejected = names.map((name) => field(partial, name)).find((value) => value !== undefined);
  const message = field(partial, 'errorMessage') ?? field(partial, 'error_message');
  const count = typeof rejected === 'string' || typeof rejected === 'number' ? BigInt(rejected) : 0n;
  const words = typeof message === 'string' ? message : '';
  return count === 0n && words === '' ? undefined : { rejected: count, message: words };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
