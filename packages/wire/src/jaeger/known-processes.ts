import { equalBytes } from '@clew/model';

/** How many processes are remembered: requests have one, or few. */
const REMEMBERED = 16;

/** Remembers which resources the processes of a request became, so that equal ones become one. */
export class KnownProcesses {
  /** By position: the resource, and whether the process is known to be written in Go. */
  readonly resources: number[] = [];
  readonly isGo: boolean[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** The position of the process in `buf[start, end)`, both -1 when there is none; -1 when it was not met lately. */
  find(buf: Uint8Array, start: number, end: number): number {
    for (let at = Math.min(this.#count, REMEMBERED) - 1; at >= 0; at--) {
      const known = this.#starts[at]!;
      if (known === start) return at;
      if (known < 0 || start < 0 || this.#ends[at]! - known !== end - start) continue;
      if (equalBytes(buf, known, buf, start, end - start)) return at;
    }
    return -1;
  }

  add(start: number, end: number, resource: number, isGo: boolean): void {
    const at = this.#count++ % REMEMBERED;
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.resources[at] = resource;
    this.isGo[at] = isGo;
  }
}
