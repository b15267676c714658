import { CodedError } from '@clew/base';

/**
 * Codes of errors raised by `@clew/wire`; retired codes are never used again. Every error about input carries
 * `details.offset`, the byte at which decoding stopped.
 *
 * - `truncated`: the input ends inside a value, or a length points past the end of its message.
 * - `invalid_varint`, `invalid_tag`, `invalid_group`: bytes that are no protobuf.
 * - `wrong_wire_type`: a known protobuf field encoded as another type.
 * - `invalid_id`: a trace or span id of the wrong length, or one that is not hexadecimal.
 * - `invalid_json`: bytes that are no JSON.
 * - `wrong_json_type`: a known JSON member whose value has another type or is out of its range.
 * - `missing_member`: JSON without a member it must have.
 * - `invalid_header`: a datagram that does not begin with the header of its format.
 * - `invalid_thrift`: bytes that are no Thrift of the protocol they are read as.
 * - `wrong_thrift_type`: a known Thrift field, or an element of one, encoded as another type.
 * - `missing_field`: a Thrift struct without a field its definition requires.
 * - `unknown_format`: bytes that are in none of the formats that may come where they came.
 * - `unsupported_message`: a Thrift message of a protocol, kind or method that is not known.
 * - `too_deep`, `too_many_spans`, `too_many_children`: a limit of `DecodeLimits`; `details.limit` names it.
 */
export type WireErrorCode =
  | 'truncated'
  | 'invalid_varint'
  | 'invalid_tag'
  | 'invalid_group'
  | 'wrong_wire_type'
  | 'invalid_id'
  | 'invalid_json'
  | 'wrong_json_type'
  | 'missing_member'
  | 'invalid_header'
  | 'invalid_thrift'
  | 'wrong_thrift_type'
  | 'missing_field'
  | 'unknown_format'
  | 'unsupported_message'
  | 'too_deep'
  | 'too_many_spans'
  | 'too_many_children';

/** Raised by `@clew/wire`: input that cannot be decoded. Nothing of it was kept. */
export class WireError extends CodedError<WireErrorCode> {}

/** An error about the input at `offset`; `problem` says what was found there and which rule it breaks. */
export function inputError(code: WireErrorCode, offset: number, problem: string): WireError {
  return new WireError(code, `${problem}, at byte ${offset}`, { details: { offset } });
}
