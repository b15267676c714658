import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locateJson } from './json-position.ts';
import type { JsonPath } from './json-position.ts';

describe('the place of a JSON value', () => {
  const text = '{\n  "a": [1, {"b": "x,]}\\"", "c": null}],\n  "a\\u0062": true, "a": [ [], 2 ]\n}';

  it.each<[JsonPath, number, number]>([
    [[], 1, 1],
    [['ab'], 3, 14],
    [['a'], 3, 25],
    [['a', 0], 3, 27],
    [['a', 1], 3, 31],
  ])('at %j is line %i, column %i', (path, line, column) => {
    expect(locateJson(text, path)).toEqual({ line, column });
  });

  it.each<[JsonPath]>([[['b']], [['a', 2]], [['a', 1, 'x']], [[0]]])('at %j, where nothing is, is unknown', (path) => {
    expect(locateJson(text, path)).toBeUndefined();
  });

  it('is where the value is, in any document however it is spaced', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const document = JSON.stringify({ before: [value, 'x'], found: value, after: value }, null, space);
        const position = locateJson(document, ['found'])!;
        const line = document.split('\n')[position.line - 1]!;
        const before = line.slice(0, position.column - 1);
        expect(before.trimEnd()).toMatch(/"found":$/);
      }),
    );
  });
});
