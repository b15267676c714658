import { didYouMean, fail, ok } from '@clew/base';
import type { Result } from '@clew/base';
import { locateJson } from './json-position.ts';
import type { JsonPath, TextPosition } from './json-position.ts';

/** One `type` and `param` of a strategies file, as they are there. */
export interface StrategyEntry {
  /** The empty text when it is missing. */
  readonly type: string;
  /** 0 when it is missing. */
  readonly param: number;
  readonly path: JsonPath;
}

/** A strategy for one operation. */
export interface OperationEntry extends StrategyEntry {
  readonly operation: string;
}

/** A strategy for one service, or the default of all. */
export interface ServiceEntry extends StrategyEntry {
  readonly service: string;
  readonly operations: readonly OperationEntry[];
}

/** What a strategies file says, its form checked and its meaning not yet. */
export interface StrategiesDocument {
  readonly services: readonly ServiceEntry[];
  readonly defaultStrategy?: ServiceEntry;
}

/** Something in a strategies file that somebody should look at. */
export interface Finding {
  readonly message: string;
  readonly position?: TextPosition;
}

/** A finding as one line: `line 3, column 5: …`. */
export function formatFinding({ message, position }: Finding): string {
  return position === undefined ? message : `line ${position.line}, column ${position.column}: ${message}`;
}

/** Findings that are kept with their place; of a file full of them the rest is only counted. */
const maxFindings = 20;

/** Collects warnings with the place they are about. */
export class Findings {
  readonly #text: string;
  readonly #list: Finding[] = [];
  #count = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get list(): readonly Finding[] {
    return this.#list;
  }

  /** How many there were, those not kept included. */
  get count(): number {
    return this.#count;
  }

  /** Notes a warning about the value at `path`. */
  warn(path: JsonPath, message: string): void {
    this.#count++;
    if (this.#list.length < maxFindings) this.#list.push(this.at(path, message));
  }

  /** A finding about the value at `path`. */
  at(path: JsonPath, message: string): Finding {
    const position = locateJson(this.#text, path);
    return position === undefined ? { message } : { message, position };
  }
}

const rootMembers = ['service_strategies', 'default_strategy'] as const;
const strategyMembers = ['type', 'param'] as const;
const operationMembers = [...strategyMembers, 'operation'] as const;
const serviceMembers = [...strategyMembers, 'service', 'operation_strategies'] as const;

/**
 * Reads the text of a strategies file. Fails with the first thing that makes it no strategies file: no JSON, or a member of another
 * type than its own. What can be passed over is a warning among `findings`.
 */
export function readStrategiesDocument(text: string, findings: Findings): Result<StrategiesDocument, Finding> {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (caught) {
    return fail({ message: `it is no JSON: ${caught instanceof Error ? caught.message : String(caught)}` });
  }
  try {
    return ok(new DocumentReader(findings).document(root));
  } catch (caught) {
    if (caught instanceof Misfit) return fail(findings.at(caught.path, caught.message));
    throw caught;
  }
}

/** Ends the reading of a document; never leaves this file. */
class Misfit extends Error {
  readonly path: JsonPath;

  constructor(path: JsonPath, message: string) {
    super(message);
    this.path = path;
  }
}

type Members = Readonly<Record<string, unknown>>;

class DocumentReader {
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  document(root: unknown): StrategiesDocument {
    if (root === null) return { services: [] };
    const members = this.#members(root, [], 'the file', rootMembers);
    const list = this.#list(members, 'service_strategies', []);
    const services = list.flatMap(({ value, path }) => this.#entry(value, path, (each) => this.#service(each, path)));
    const byDefault = members['default_strategy'];
    if (byDefault === undefined || byDefault === null) return { services };
    return { services, defaultStrategy: this.#service(byDefault, ['default_strategy']) };
  }

  #service(value: unknown, path: JsonPath): ServiceEntry {
    const members = this.#members(value, path, 'a strategy', serviceMembers);
    const operations = this.#list(members, 'operation_strategies', path).flatMap((item) =>
      this.#entry(item.value, item.path, (each) => this.#operation(each, item.path)),
    );
    return { ...this.#strategy(members, path), service: this.#text(members, 'service', path), operations };
  }

  #operation(value: unknown, path: JsonPath): OperationEntry {
    const members = this.#members(value, path, 'an operation strategy', operationMembers);
    return { ...this.#strategy(members, path), operation: this.#text(members, 'operation', path) };
  }

  #strategy(members: Members, path: JsonPath): StrategyEntry {
    const param = members['param'] ?? 0;
    if (typeof param !== 'number') throw new Misfit([...path, 'param'], `param must be a number, not ${kindOf(param)}`);
    const type = this.#text(members, 'type', path);
    if (type !== '' && (members['param'] === undefined || members['param'] === null)) {
      this.#findings.warn(path, `a ${type} strategy without param: 0 is taken`);
    }
    return { type, param, path };
  }

  /** An entry of a list; null is nothing, and worth a warning. */
  #entry<T>(value: unknown, path: JsonPath, read: (value: unknown) => T): T[] {
    if (value !== null) return [read(value)];
    this.#findings.warn(path, 'an entry is null and is ignored');
    return [];
  }

  #list(members: Members, name: string, path: JsonPath): { readonly value: unknown; readonly path: JsonPath }[] {
    const value = members[name] ?? [];
    if (!Array.isArray(value)) throw new Misfit([...path, name], `${name} must be a list, not ${kindOf(value)}`);
    return value.map((item: unknown, index) => ({ value: item, path: [...path, name, index] }));
  }

  #text(members: Members, name: string, path: JsonPath): string {
    const value = members[name] ?? '';
    if (typeof value === 'string') return value;
    throw new Misfit([...path, name], `${name} must be a text, not ${kindOf(value)}`);
  }

  #members(value: unknown, path: JsonPath, what: string, known: readonly string[]): Members {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Misfit(path, `${what} must be an object, not ${kindOf(value)}`);
    }
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      this.#findings.warn(
        [...path, name],
        `${what} has no member ${JSON.stringify(name)}; it is ignored${didYouMean(name, known)}`,
      );
    }
    return value as Members;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
