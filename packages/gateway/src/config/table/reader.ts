import type { KdlNode } from '../../kdl/node.ts';
import type { SourcePosition } from '../../kdl/position.ts';
import type { ConfigProblem, ProblemCode } from '../../kdl/problem.ts';

/** Stands for a value that could not be read; the problem has been reported. */
export const invalid: unique symbol = Symbol('invalid');
export type Invalid = typeof invalid;

/** Whether a value could be read. */
export function isValid<T>(value: T | Invalid): value is T {
  return value !== invalid;
}

/** Where problems are collected while nodes are read, and what is being read. */
export class Reader {
  /** Shared by all readers of one configuration, in the order found. */
  readonly problems: ConfigProblem[];
  /** What is being read, as it begins a message: `route "api" retry-policy`. Empty at the top level. */
  readonly subject: string;

  constructor(problems: ConfigProblem[] = [], subject = '') {
    this.problems = problems;
    this.subject = subject;
  }

  /** A reader for a block below this one. */
  within(part: string): Reader {
    return new Reader(this.problems, [this.subject, part].filter((text) => text !== '').join(' '));
  }

  error(code: ProblemCode, message: string, position: SourcePosition, help?: string): Invalid {
    this.#report('error', code, message, position, help);
    return invalid;
  }

  warn(code: ProblemCode, message: string, position: SourcePosition, help?: string): void {
    this.#report('warning', code, message, position, help);
  }

  #report(
    severity: ConfigProblem['severity'],
    code: ProblemCode,
    text: string,
    position: SourcePosition,
    help: string | undefined,
  ): void {
    const message = this.subject === '' ? text : `${this.subject}: ${text}`;
    this.problems.push({ severity, code, message, position, ...(help === undefined ? {} : { help }) });
  }
}

/**
 * How much of the files in circulation depends on a setting: `must` = in the published quick starts, `should` = what their
 * readers try next, `may` = rare.
 */
export type Level = 'must' | 'should' | 'may';

/** What the reference says about a setting; the same facts the reader acts on. */
export interface FieldDoc {
  /** The name to write; other accepted names are in `aliases`. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** Completes "must be …": what may be written. */
  readonly type: string;
  /** As it would be written; absent = none. */
  readonly defaultText?: string;
  readonly required: boolean;
  readonly level: Level;
  readonly text: string;
  /** The settings inside, for a block; several for one whose kind is chosen by a word, under that word. */
  readonly nested?: ReadonlyMap<string, BlockDoc>;
}

/** What the reference says about a block. */
export interface BlockDoc {
  readonly fields: readonly FieldDoc[];
  /** Names that are known and have no effect in this build, with what they are for. */
  readonly unsupported: Readonly<Record<string, string>>;
}

/**
 * One setting of a block: which nodes belong to it and what they mean. `read` gets all nodes of these names, properties of
 * the block among them; there may be none.
 */
export interface Field<T> {
  readonly doc: FieldDoc;
  /** Names accepted with a warning, and what to write instead. */
  readonly deprecated: Readonly<Record<string, string>>;
  /** True when absence is a value (`undefined`) of its own. */
  readonly optional: boolean;
  read(uses: readonly KdlNode[], owner: KdlNode, reader: Reader): T | Invalid;
}

/** A setting that may be absent. */
export interface OptionalField<T> extends Field<T | undefined> {
  readonly optional: true;
}

/** A setting that always has a value in the end. */
export interface RequiredField<T> extends Field<T> {
  readonly optional: false;
}
