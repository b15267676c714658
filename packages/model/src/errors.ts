import { CodedError } from '@clew/base';

/**
 * Codes of {@link ModelError}.
 *
 * - `invalid_id`: a text that is no trace or span id
 * - `invalid_time`: a text or number that is no nanosecond time
 * - `invalid_value`: the bytes of a nested attribute value are malformed
 * - `value_too_deep`: a nested attribute value exceeds the depth limit
 * - `invalid_pack`: a packed batch is truncated or damaged; `details.offset` says where
 * - `unsupported_pack`: a packed batch of a version this program does not know
 * - `invalid_row`: a row, key or table index outside its table
 */
export type ModelErrorCode =
  | 'invalid_id'
  | 'invalid_time'
  | 'invalid_value'
  | 'value_too_deep'
  | 'invalid_pack'
  | 'unsupported_pack'
  | 'invalid_row';

/** Raised by `@clew/model`. */
export class ModelError extends CodedError<ModelErrorCode> {}
