import { isFieldValue, isToken } from './fields.ts';
import { GatewayError } from '../../errors.ts';

/** Checks fields that were not received as such. Fails with `invalid_field`. */
export function checkFields(fields: readonly string[]): void {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (!isToken(fields[at]!)) {
      throw new GatewayError('invalid_field', `${JSON.stringify(fields[at])} cannot be the name of a field`);
    }
    if (!isFieldValue(fields[at + 1]!)) {
      throw new GatewayError('invalid_field', `the value of ${fields[at]} has characters that no field may have`);
    }
  }
}

/** Checks a target that was not received as such. Fails with `invalid_field`. */
export function checkTarget(target: string): void {
  if (/^[\x21-\x7e]+$/.test(target)) return;
  throw new GatewayError('invalid_field', `${JSON.stringify(target)} cannot be the target of a request`);
}
