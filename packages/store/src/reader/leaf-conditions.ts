import { ValueType } from '@clew/model';

import { TagScope } from '../schema/tables.ts';
import { hasKey } from './map-keys.ts';
import { allOf } from './sql.ts';
import type { TagContext } from './tag-conditions.ts';
import { taggedTest, type ValueTest } from './value-test.ts';

/** A level with attributes of its own. */
export type Level = 1 | 2 | 3 | 4 | 5;

/** Under which scope the paths of a level are listed. */
const pathScopes: Readonly<Record<Level, TagScope>> = {
  [TagScope.span]: TagScope.spanLeaf,
  [TagScope.resource]: TagScope.resourceLeaf,
  [TagScope.scope]: TagScope.resourceLeaf,
  [TagScope.event]: TagScope.childLeaf,
  [TagScope.link]: TagScope.childLeaf,
};

const types = Object.values(ValueType);

/**
 * Conditions on the leaves (`block/leaf-writer.ts`) in `map`, a map of tagged values: that the path is there, or that a value of it satisfies the
 * comparison; `!=` and `!~` when every value does. Empty when the path was never seen on the level.
 */
export function leafBranches(
  context: TagContext,
  level: Level,
  map: string,
  path: string,
  test: ValueTest | undefined,
): string[] {
  if (!types.some((type) => context.catalog.canBe(path, pathScopes[level], type))) return [];
  const k = context.sql.text(path);
  const some = (...conditions: string[]): string =>
    `arrayExists((x, y) -> ${allOf([`x = ${k}`, "startsWith(y, 'L')", ...conditions])}, mapKeys(${map}), mapValues(${map}))`;
  const isChild = level === TagScope.event || level === TagScope.link;
  // Looks at keys alone first, where they can be read alone.
  const isThere = isChild ? `mapContains(${map}, ${k})` : hasKey(map, path, k);
  if (test === undefined) return [allOf([isThere, some()])];
  const condition = taggedTest(context.sql, test, 'substring(y, 2)');
  if (!test.every) return [allOf([isThere, some(condition)])];
  return [allOf([isThere, some(), `NOT ${some(`NOT (${condition})`)}`])];
}
