import type { SourcePosition } from './position.ts';

/** What a value of KDL can be. */
export type KdlScalar = string | number | boolean | null;

/** A value with its place. */
export interface KdlValue {
  readonly value: KdlScalar;
  /** As written in the file, quotes included. */
  readonly text: string;
  /** Whether it was written between quotes and can hold `${NAME}`; raw strings cannot. */
  readonly quoted: boolean;
  /** Whether the whole value came from the environment: it may then stand for a number or a boolean. */
  readonly fromEnvironment?: boolean;
  /** Whether a variable in it is missing: that has been reported, and the value means nothing. */
  readonly unresolved?: boolean;
  readonly position: SourcePosition;
}

/** `name=value` of a node. */
export interface KdlProperty {
  readonly name: string;
  readonly position: SourcePosition;
  readonly value: KdlValue;
}

/** `name argument key=value { children }`. */
export interface KdlNode {
  readonly name: string;
  readonly position: SourcePosition;
  readonly arguments: readonly KdlValue[];
  readonly properties: readonly KdlProperty[];
  readonly children: readonly KdlNode[];
}
