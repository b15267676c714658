import { InvalidKdlError, getLocation, parse } from '@bgotink/kdl';
import type { Document, Entry, Node } from '@bgotink/kdl';
import { errorMessage } from '@clew/base';
import { explainSyntaxError } from './explain.ts';
import { excerptAt } from './excerpt.ts';
import type { KdlNode, KdlProperty, KdlValue } from './node.ts';
import { PositionIndex } from './position.ts';
import type { SourcePosition } from './position.ts';
import type { ConfigProblem } from './problem.ts';
import { OffsetMap, repairBareKeywords } from './tolerate.ts';

/** Characters a file may have. */
export const maxFileCharacters = 4 * 2 ** 20;

/** Blocks that may lie in one another. */
export const maxDepth = 64;

const tooDeep = `blocks lie more than ${maxDepth} deep in one another; a configuration needs fewer than 10`;

/** Syntax errors reported of one file: those after the first few are mostly their echo. */
const maxSyntaxErrors = 20;

/** Lines listed in one warning. */
const maxListedLines = 8;

/** A text as nodes, or what is wrong with it; warnings come with the nodes. */
export interface ParsedKdl {
  /** Empty when `problems` holds an error. */
  readonly nodes: readonly KdlNode[];
  readonly problems: readonly ConfigProblem[];
}

/** Reads KDL 2, and `true`, `false` and `null` spelled as in KDL 1 with a warning. Never throws, whatever the text. */
export function parseKdl(text: string, file: string): ParsedKdl {
  const position: SourcePosition = { file, line: 1, column: 1 };
  const refuse = (message: string): ParsedKdl => ({
    nodes: [],
    problems: [{ severity: 'error', code: 'syntax', message, position }],
  });
  if (text.length > maxFileCharacters) {
    return refuse(
      `the file has ${text.length} characters, more than the ${maxFileCharacters} allowed; split it with include`,
    );
  }
  return new Parser(text, file).parse();
}

class Parser {
  readonly #text: string;
  readonly #index: PositionIndex;
  #offsets = new OffsetMap([]);
  #tooDeep: SourcePosition | undefined;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#index = new PositionIndex(file, text);
  }

  parse(): ParsedKdl {
    const first = attempt(this.#text);
    if (first instanceof Error) {
      const repaired = repairBareKeywords(this.#text, first);
      if (repaired === undefined) return { nodes: [], problems: this.#problemsOf(first) };
      this.#offsets = repaired.offsets;
      const second = attempt(repaired.text);
      if (second instanceof Error) return { nodes: [], problems: this.#problemsOf(second) };
      return this.#finish(second, [this.#spellingWarning(repaired.keywords)]);
    }
    return this.#finish(first, []);
  }

  #finish(document: Document, problems: readonly ConfigProblem[]): ParsedKdl {
    const nodes = document.nodes.map((node) => this.#node(node, 1));
    if (this.#tooDeep === undefined) return { nodes, problems };
    return { nodes: [], problems: [{ severity: 'error', code: 'syntax', message: tooDeep, position: this.#tooDeep }] };
  }

  #node(node: Node, depth: number): KdlNode {
    const position = this.#placeOf(node.name);
    if (depth > maxDepth) {
      this.#tooDeep ??= position;
      return { name: node.getName(), position, arguments: [], properties: [], children: [] };
    }
    const values: KdlValue[] = [];
    const properties: KdlProperty[] = [];
    for (const entry of node.entries) {
      const value = this.#value(entry);
      if (entry.name === null) values.push(value);
      else properties.push({ name: entry.name.getName(), position: this.#placeOf(entry.name), value });
    }
    const children = node.children?.nodes.map((child) => this.#node(child, depth + 1)) ?? [];
    return { name: node.getName(), position, arguments: values, properties, children };
  }

  #value(entry: Entry): KdlValue {
    const text = entry.value.representation ?? JSON.stringify(entry.getValue());
    return { value: entry.getValue(), text, quoted: text.startsWith('"'), position: this.#placeOf(entry.value) };
  }

  #placeOf(element: Parameters<typeof getLocation>[0]): SourcePosition {
    return this.#at(getLocation(element)?.start.offset ?? 0);
  }

  #at(parsedOffset: number): SourcePosition {
    return this.#index.at(this.#offsets.toOriginal(parsedOffset));
  }

  #problemsOf(error: Error): ConfigProblem[] {
    if (!(error instanceof InvalidKdlError)) {
      return [this.#problem(0, `the text cannot be read as KDL: ${errorMessage(error)}`, undefined)];
    }
    const details = Array.from(error.flat()).slice(0, maxSyntaxErrors);
    const placed = details.filter(({ start }) => start !== undefined);
    return (placed.length > 0 ? placed : details.slice(0, 1)).map((detail) => this.#syntaxProblem(detail));
  }

  #syntaxProblem(detail: InvalidKdlError): ConfigProblem {
    // The parser calls itself for every block.
    if (detail.cause instanceof RangeError) return this.#problem(0, tooDeep, undefined);
    // What the parser gives up on in another way has no place.
    if (detail.cause !== undefined) return this.#problem(0, 'the text cannot be read as KDL', undefined);
    const offset = this.#offsets.toOriginal(detail.start?.offset ?? 0);
    const { message, help, offset: better } = explainSyntaxError(detail, this.#text, offset);
    return this.#problem(better ?? offset, message, help);
  }

  #problem(offset: number, message: string, help: string | undefined): ConfigProblem {
    const position = this.#index.at(offset);
    const excerpt = excerptAt(this.#text, position);
    return { severity: 'error', code: 'syntax', message, position, excerpt, ...(help === undefined ? {} : { help }) };
  }

  #spellingWarning(keywords: readonly { readonly keyword: string; readonly offset: number }[]): ConfigProblem {
    const [first, ...others] = keywords.map(({ keyword, offset }) => ({ keyword, position: this.#index.at(offset) }));
    const lines = [...new Set(others.map(({ position }) => position.line))].filter(
      (line) => line !== first!.position.line,
    );
    const listed = lines.slice(0, maxListedLines).join(', ');
    const rest = lines.length > maxListedLines ? ` and ${lines.length - maxListedLines} more` : '';
    const also = lines.length === 0 ? '' : `; also on line${lines.length === 1 ? '' : 's'} ${listed}${rest}`;
    return {
      severity: 'warning',
      code: 'kdl1_spelling',
      message: `KDL 1 spelling ${first!.keyword}; write #${first!.keyword}${also}`,
      position: first!.position,
    };
  }
}

function attempt(text: string): Document | Error {
  try {
    return parse(text, { storeLocations: true });
  } catch (error) {
    return error instanceof Error ? error : new Error(errorMessage(error));
  }
}
