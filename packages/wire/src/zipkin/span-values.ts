import { SpanKind } from '@clew/model';
import { inputError } from '../errors.ts';

/** Numbers of Zipkin's span kinds: in protobuf, and beside their names in JSON. */
export const KIND_OF_NUMBER: readonly number[] = [
  SpanKind.UNSPECIFIED,
  SpanKind.CLIENT,
  SpanKind.SERVER,
  SpanKind.PRODUCER,
  SpanKind.CONSUMER,
];

/** The port in two words, 0 for absent; `code` is the error for what is none. */
export function checkedPort(
  lo: number,
  hi: number,
  code: 'wrong_json_type' | 'wrong_wire_type',
  offset: number,
): number {
  if (hi === 0 && lo <= 0xffff) return lo;
  throw inputError(code, offset, `invalid port ${hi === 0 ? lo : 'of more than 32 bits'}: it must be 0 to 65535`);
}
