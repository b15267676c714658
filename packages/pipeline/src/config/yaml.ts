import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Document, Pair } from 'yaml';
import { mapNode } from './node.ts';
import type { ConfigNode, MapEntry } from './node.ts';
import type { Problem, SourcePosition } from './problem.ts';
import { isWholeFloat, resolveScalar } from './scalar.ts';

/** Nodes a document may have with its aliases followed; more is an attack, not a configuration. */
export const maxYamlNodes = 100_000;

/** Levels a document may be nested. */
export const maxYamlDepth = 200;

/** A parsed source, or everything that keeps it from being parsed. */
export type ParsedYaml =
  { readonly ok: true; readonly root: ConfigNode } | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Parses one YAML document into a tree with positions. `placed` gives positions instead of the text's own lines: for text
 * that stands for a value written elsewhere.
 */
export function parseYaml(text: string, source: string, placed?: SourcePosition): ParsedYaml {
  const lines = new LineCounter();
  // 'failsafe' leaves scalars as text, to be resolved by rules of our own.
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
  });
  const first = Array.isArray(documents) ? documents[0] : undefined;
  if (first === undefined)
    return { ok: true, root: { kind: 'scalar', value: null, position: placed ?? { source, line: 1, column: 1 } } };
  const positionOf = (offset: number): SourcePosition => {
    if (placed !== undefined) return placed;
    const { line, col } = lines.linePos(offset);
    return { source, line, column: col };
  };
  if (documents.length > 1) {
    const position = positionOf(documents[1]!.range[0]);
    return {
      ok: false,
      problems: [
        problem('the source has several YAML documents; keep one, or name them as separate sources', position),
      ],
    };
  }
  if (first.errors.length > 0) {
    return {
      ok: false,
      problems: first.errors.map((error) => problem(`cannot parse YAML: ${error.message}`, positionOf(error.pos[0]))),
    };
  }
  const reader = new TreeReader(first, positionOf);
  const root = reader.read(first.contents, 0, 0);
  return reader.problems.length > 0 ? { ok: false, problems: reader.problems } : { ok: true, root };
}

function problem(message: string, position: SourcePosition): Problem {
  return { phase: 'get', severity: 'error', message, path: [], position };
}

class TreeReader {
  readonly problems: Problem[] = [];
  readonly #document: Document.Parsed;
  readonly #positionOf: (offset: number) => SourcePosition;
  #nodes = 0;

  constructor(document: Document.Parsed, positionOf: (offset: number) => SourcePosition) {
    this.#document = document;
    this.#positionOf = positionOf;
  }

  /** The tree of `node`; `offset` places values that have no text of their own, such as the null of `key:`. */
  read(node: unknown, offset: number, depth: number): ConfigNode {
    const position = this.#positionOf(startOf(node) ?? offset);
    const none: ConfigNode = { kind: 'scalar', value: null, position };
    if (++this.#nodes > maxYamlNodes || depth > maxYamlDepth) {
      if (this.problems.length === 0) {
        const message = `the document has more than ${maxYamlNodes} values or ${maxYamlDepth} levels, aliases followed; simplify it`;
        this.problems.push(problem(message, position));
      }
      return none;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) this.problems.push(problem(`unknown alias *${node.source}`, position));
      return target === undefined ? none : this.read(target, offset, depth + 1);
    }
    if (isMap(node)) return this.#readMap(node.items as Pair[], position, depth);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item, startOf(node) ?? offset, depth + 1));
      return { kind: 'list', items, position };
    }
    if (isScalar(node)) {
      const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
      const tagged = node.tag === '!!str' || node.tag === 'tag:yaml.org,2002:str';
      const value = node.type === 'PLAIN' && !tagged ? resolveScalar(text) : text;
      const float = typeof value === 'number' && isWholeFloat(text);
      return { kind: 'scalar', value, position, ...(float ? { float } : {}) };
    }
    return none;
  }

  #readMap(pairs: readonly Pair[], position: SourcePosition, depth: number): ConfigNode {
    const merged: (readonly [string, MapEntry])[] = [];
    const own: (readonly [string, MapEntry])[] = [];
    for (const { key, value } of pairs) {
      const keyOffset = startOf(key) ?? 0;
      const keyPosition = this.#positionOf(keyOffset);
      if (!isScalar(key)) {
        this.problems.push(problem('only plain text can be a key', keyPosition));
        continue;
      }
      const name = String(key.value);
      const defined = own.find(([other]) => other === name);
      if (defined !== undefined) {
        const { line } = defined[1].keyPosition;
        this.problems.push(
          problem(`mapping key ${JSON.stringify(name)} already defined at line ${line ?? '?'}`, keyPosition),
        );
        continue;
      }
      const child = this.read(value, keyOffset, depth + 1);
      if (name === '<<' && key.type === 'PLAIN') merged.push(...this.#mergeKey(child, keyPosition));
      else own.push([name, { keyPosition, value: child }]);
    }
    return mapNode([...merged, ...own], position);
  }

  /** Entries that `<<` brings in; of several maps the first wins, which a Map gives when it is filled backwards. */
  #mergeKey(value: ConfigNode, position: SourcePosition): (readonly [string, MapEntry])[] {
    const maps = value.kind === 'list' ? value.items : [value];
    const entries: (readonly [string, MapEntry])[] = [];
    for (const map of maps.toReversed()) {
      if (map.kind === 'map') entries.push(...map.entries);
      else this.problems.push(problem('the merge key << takes a map or a list of maps', position));
    }
    return entries;
  }
}

function startOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0];
}
