import type { SourcePosition } from '../../kdl/position.ts';
import { word } from '../table/value-type.ts';
import type { ValueType } from '../table/value-type.ts';
import { ok } from '@clew/base';

/** The name of something defined elsewhere, with the place where it is named. */
export interface Reference {
  readonly id: string;
  readonly position: SourcePosition;
}

/** A name that is looked up once everything has been read. */
export const reference: ValueType<Reference> = {
  label: 'a name',
  read(value) {
    const read = word.read(value);
    return read.ok ? ok({ value: { id: read.value.value, position: value.position } }) : read;
  },
};
