import { ValueType } from '@clew/model';

import { TagScope } from '../schema/tables.ts';
import { allOf } from './sql.ts';
import type { TagContext } from './tag-conditions.ts';
import { taggedTest, type ValueTest } from './value-test.ts';

/** A level with attributes of its own; the names of `TagScope` below it are those of its paths. */
export type Level = 1 | 2 | 3 | 4 | 5;

const pathScopes: Readonly<Record<Level, TagScope>> = {
  [TagScope.span]: TagScope.spanLeaf,
  [TagScope.resource]: TagScope.resourceLeaf,
  [TagScope.scope]: TagScope.resourceLeaf,
  [TagScope.event]: TagScope.childLeaf,
  [TagScope.link]: TagScope.childLeaf,
};

const types = Object.values(ValueType);

/**
 * Conditions on the column `leaf` (`block/leaf-column.ts`) of `spans` or, for levels of resources, of `resources`: that the path is there, or that a
 * value below it satisfies the comparison; `!=` and `!~` when every value does. Empty when the path was never seen on the level.
 */
export function leafBranches(context: TagContext, level: Level, path: string, test: ValueTest | undefined): string[] {
  if (!types.some((type) => context.catalog.canBe(path, pathScopes[level], type))) return [];
  const k = context.sql.text(`${level}${path}`);
  const isThere = `has(leaf.keys, ${k})`;
  if (test === undefined) return [isThere];
  const condition = taggedTest(context.sql, test, 'y');
  const some = (y: string): string => `arrayExists((x, y) -> x = ${k} AND ${y}, mapKeys(leaf), mapValues(leaf))`;
  return [allOf([isThere, test.every ? `NOT ${some(`NOT (${condition})`)}` : some(`(${condition})`)])];
}
