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
 * - `too_deep`, `too_many_spans`, `too_many_children`: a limit of {@link DecodeLimits}; `details.limit` names it.
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
  | 'too_deep'
  | 'too_many_spans'
  | 'too_many_children';

/** Raised by `@clew/wire`: input that cannot be decoded. Nothing of it was kept. */
export class WireError extends CodedError<WireErrorCode> {}

/** What the decoders refuse, so that a small request cannot become a large batch. */
export interface DecodeLimits {
  /** Levels of arrays and maps inside one attribute value, and of groups and objects that are skipped. Default 64. */
  readonly maxDepth?: number;
  /** Spans in one request. Default 500,000. */
  readonly maxSpans?: number;
  /** Events, links, scopes and resources together in one request. Default 2,000,000. */
  readonly maxChildren?: number;
}

/** The limits that apply where {@link DecodeLimits} says nothing. */
export const DEFAULT_DECODE_LIMITS = Object.freeze({
  maxDepth: 64,
  maxSpans: 500_000,
  maxChildren: 2_000_000,
} satisfies Required<DecodeLimits>);

/** An error about the input at `offset`; `problem` says what was found there and which rule it breaks. */
export function inputError(code: WireErrorCode, offset: number, problem: string): WireError {
  return new WireError(code, `${problem}, at byte ${offset}`, { details: { offset } });
}

/** An error about a limit reached at `offset`; the message names the limit, its value and how to raise it. */
export function limitError(
  code: 'too_deep' | 'too_many_spans' | 'too_many_children',
  offset: number,
  setting: keyof DecodeLimits,
  value: number,
): WireError {
  const what = {
    too_deep: 'values are nested deeper than',
    too_many_spans: 'the request has more spans than',
    too_many_children: 'the request has more events, links, scopes and resources than',
  }[code];
  return new WireError(
    code,
    `${what} ${value}, the limit ${setting}, at byte ${offset}; send less at once or raise ${setting}`,
    {
      details: { offset, limit: setting, value },
    },
  );
}
