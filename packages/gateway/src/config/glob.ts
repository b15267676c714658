import { join, sep } from 'node:path';
import type { ConfigIo } from './io.ts';

/** Folders looked into for one pattern. */
const maxDirectories = 10_000;

/** Whether a path is a pattern: `*` and `?` within a name, `**` for any folders. */
export function isGlob(path: string): boolean {
  return /[*?]/.test(path);
}

/** The files a pattern matches, sorted by name. Names that begin with a dot match only where the pattern has one. */
export async function expandGlob(pattern: string, io: ConfigIo): Promise<readonly string[]> {
  const parts = pattern.split(sep);
  const first = parts.findIndex(isGlob);
  const base = parts.slice(0, first).join(sep);
  const start = first === 0 ? '.' : base === '' ? sep : base;
  const walk = new GlobWalk(io);
  await walk.visit(start, parts.slice(first));
  return [...walk.found].sort();
}

class GlobWalk {
  readonly found = new Set<string>();
  readonly #io: ConfigIo;
  #left = maxDirectories;

  constructor(io: ConfigIo) {
    this.#io = io;
  }

  async visit(directory: string, parts: readonly string[]): Promise<void> {
    const [part, ...rest] = parts;
    if (part === undefined) return;
    if (this.#left-- <= 0) throw new Error(`more than ${maxDirectories} folders; use a narrower pattern`);
    const entries = await this.#io.listDirectory(directory);
    const anyDepth = part === '**';
    // `**` also stands for no folder at all.
    if (anyDepth && rest.length > 0) await this.visit(directory, rest);
    const matcher = anyDepth ? /^[^.]/ : namePattern(part);
    for (const { name, kind } of entries) {
      if (!matcher.test(name)) continue;
      const path = join(directory, name);
      if (kind === 'directory') await this.visit(path, anyDepth ? parts : rest);
      if (kind === 'file' && rest.length === 0) this.found.add(path);
    }
  }
}

function namePattern(part: string): RegExp {
  const body = part.replaceAll(/[^*?]/g, (character) => character.replaceAll(/[\\^$.|+()[\]{}/-]/g, '\\$&'));
  // Runs of stars are one star: several would make the match slow.
  const source = body.replaceAll(/\*+/g, '[^/]*').replaceAll('?', '[^/]');
  return new RegExp(`^${/^[*?]/.test(part) ? '(?!\\.)' : ''}${source}$`, 's');
}
