import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerObject } from './json-events.ts';

describe('headers in JSON', () => {
  it('keep every value in order under its lower-case name, whatever the names are', () => {
    const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', 'A', 'a'), fc.string());
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (fields) => {
        const read = JSON.parse(JSON.stringify(headerObject(fields.flat()))) as object;
        const expected = new Map<string, string[]>();
        for (const [key, value] of fields) {
          expected.set(key.toLowerCase(), [...(expected.get(key.toLowerCase()) ?? []), value]);
        }
        expect(new Map(Object.entries(read))).toEqual(expected);
      }),
    );
  });
});
