import type { StringTable } from '@clew/model';

import { DictionaryColumn, type NativeColumn, RunColumn } from './native-columns.ts';

/** A map column whose keys are entries of the builder's string table: its keys, and one column of values. */
export class MapColumn<Values extends NativeColumn> extends RunColumn {
  readonly keys: DictionaryColumn;
  readonly values: Values;

  constructor(strings: StringTable, values: Values) {
    const keys = new DictionaryColumn(strings);
    super(`Map(${keys.type}, ${values.type})`, [keys, values]);
    this.keys = keys;
    this.values = values;
  }
}
