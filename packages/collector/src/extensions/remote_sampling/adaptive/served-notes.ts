import type { Limit } from '@clew/base';
import type { ServedStrategy } from '@clew/pipeline';

interface Note {
  version: number;
  firstUnixMs: number;
  lastUnixMs: number;
}

/**
 * Which version of its strategy each service was told, since these notes were last taken. Anybody can ask in any name, so there is a limit: further services
 * are served and not noted.
 */
export class ServedNotes {
  readonly #limit: Limit;
  #notes = new Map<string, Note[]>();

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  note(service: string, version: number, nowUnixMs: number): void {
    const notes = this.#notes.get(service);
    const last = notes?.at(-1);
    if (last?.version === version) last.lastUnixMs = nowUnixMs;
    else if (notes !== undefined) notes.push({ version, firstUnixMs: nowUnixMs, lastUnixMs: nowUnixMs });
    else if (this.#limit.allows(this.#notes.size + 1)) {
      this.#notes.set(service, [{ version, firstUnixMs: nowUnixMs, lastUnixMs: nowUnixMs }]);
    } else this.#limit.exceeded();
  }

  /** Hands the notes out and begins anew. */
  take(): ServedStrategy[] {
    const taken = [...this.#notes].flatMap(([service, notes]) => notes.map((note) => ({ service, ...note })));
    this.#notes = new Map();
    return taken;
  }

  /** Takes back what could not be handed on. */
  putBack(served: readonly ServedStrategy[]): void {
    for (const { service, version, firstUnixMs, lastUnixMs } of served) {
      const notes = this.#notes.get(service) ?? [];
      this.#notes.set(service, [{ version, firstUnixMs, lastUnixMs }, ...notes]);
    }
  }
}
