import { dirname, isAbsolute, join, normalize } from 'node:path';
import { errorMessage } from '@clew/base';
import type { KdlNode } from '../kdl/node.ts';
import { parseKdl } from '../kdl/parse.ts';
import type { SourcePosition } from '../kdl/position.ts';
import type { ConfigProblem, ProblemCode } from '../kdl/problem.ts';
import { substituteEnvironment } from './environment.ts';
import { expandGlob, isGlob } from './glob.ts';
import type { ConfigIo } from './io.ts';

/** Files one configuration may be made of. */
export const maxFiles = 1000;

/** The nodes of a file and of all it includes, in the order written. */
export interface GatheredNodes {
  readonly nodes: readonly KdlNode[];
  readonly problems: readonly ConfigProblem[];
  /** Every file that was read, the first one first. */
  readonly files: readonly string[];
}

/** Parses `text`, which is that of `file`, and everything it includes. */
export async function gatherNodes(text: string, file: string, io: ConfigIo): Promise<GatheredNodes> {
  const gatherer = new Gatherer(io);
  const nodes = await gatherer.parse(text, file, [normalize(file)]);
  return { nodes, problems: gatherer.problems, files: [...gatherer.files] };
}

class Gatherer {
  readonly problems: ConfigProblem[] = [];
  readonly files = new Set<string>();
  readonly #io: ConfigIo;

  constructor(io: ConfigIo) {
    this.#io = io;
  }

  /** @param chain the files that lead here, this one last */
  async parse(text: string, file: string, chain: readonly string[]): Promise<readonly KdlNode[]> {
    this.files.add(file);
    const parsed = parseKdl(text, file);
    this.problems.push(...parsed.problems);
    const nodes: KdlNode[] = [];
    for (const node of substituteEnvironment(parsed.nodes, this.#io.env, this.problems)) {
      if (node.name === 'include') nodes.push(...(await this.#include(node, file, chain)));
      else nodes.push(node);
    }
    return nodes;
  }

  async #include(node: KdlNode, file: string, chain: readonly string[]): Promise<readonly KdlNode[]> {
    if (node.arguments.length === 0) {
      this.#report('error', 'missing', 'include names no file', node.position, 'write: include "routes/*.kdl"');
    }
    const nodes: KdlNode[] = [];
    for (const { value, text, position } of node.arguments) {
      if (typeof value !== 'string' || value === '') {
        this.#report('error', 'wrong_type', `include must be a path or a pattern of paths; found ${text}`, position);
        continue;
      }
      const wanted = isAbsolute(value) ? normalize(value) : join(dirname(file), value);
      for (const path of await this.#pathsOf(wanted, value, position)) {
        nodes.push(...(await this.#read(path, position, chain)));
      }
    }
    return nodes;
  }

  async #pathsOf(wanted: string, written: string, position: SourcePosition): Promise<readonly string[]> {
    if (!isGlob(wanted)) return [wanted];
    try {
      const found = await expandGlob(wanted, this.#io);
      if (found.length === 0) {
        this.#report('warning', 'include_empty', `include ${JSON.stringify(written)} matches no file`, position);
      }
      return found;
    } catch (error) {
      const message = `cannot look for ${JSON.stringify(written)}: ${errorMessage(error)}`;
      this.#report('error', 'unreadable_file', message, position);
      return [];
    }
  }

  async #read(path: string, position: SourcePosition, chain: readonly string[]): Promise<readonly KdlNode[]> {
    const known = chain.indexOf(path);
    if (known >= 0) {
      const cycle = [...chain.slice(known), path].join(' → ');
      this.#report('error', 'include_cycle', `files include each other: ${cycle}`, position);
      return [];
    }
    if (this.files.has(path)) {
      this.#report('warning', 'repeated', `${path} is included again, ignored`, position);
      return [];
    }
    if (this.files.size >= maxFiles) {
      this.#report('error', 'include_cycle', `more than ${maxFiles} files are included`, position);
      return [];
    }
    try {
      return await this.parse(await this.#io.readFile(path), path, [...chain, path]);
    } catch (error) {
      this.#report('error', 'unreadable_file', `cannot read ${path}: ${errorMessage(error)}`, position);
      return [];
    }
  }

  #report(
    severity: ConfigProblem['severity'],
    code: ProblemCode,
    message: string,
    position: SourcePosition,
    help?: string,
  ): void {
    this.problems.push({ severity, code, message, position, ...(help === undefined ? {} : { help }) });
  }
}
