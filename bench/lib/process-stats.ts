import { readFileSync, readdirSync } from 'node:fs';

/** What the kernel says of a process (Linux). */
export interface ProcessStats {
  /** User and system time of the process and its threads, seconds. */
  readonly cpuSeconds: number;
  /** Proportional set size: its share of memory, with shared pages divided among their users. */
  readonly pssBytes: number;
}

/** Clock ticks per second on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Reads CPU time and memory of one process; undefined when it is gone. */
export function processStats(pid: number): ProcessStats | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return { cpuSeconds: ticks / ticksPerSecond, pssBytes: Number(pss?.[1] ?? 0) * 1024 };
  } catch {
    return undefined; // The process ended between listing and reading.
  }
}

/** Ids of all processes below `pid`, itself included. */
export function processTree(pid: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(entry)]);
    } catch {
      continue; // Ended meanwhile.
    }
  }
  const tree: number[] = [];
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    tree.push(next);
    pending.push(...(childrenOf.get(next) ?? []));
  }
  return tree;
}

/**
 * Samples a process tree: CPU per process and the highest sum of memory seen. Once a second: the kernel walks all page tables for each sample,
 * and four times a second cost a tenth of a core.
 */
export class TreeMeter {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  readonly #first = new Map<number, ProcessStats>();
  readonly #last = new Map<number, ProcessStats>();
  #peakBytes = 0;
  readonly #peakOf = new Map<number, number>();

  constructor(pid: number, intervalMs = 1000) {
    this.#pid = pid;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), intervalMs);
  }

  /** Ends sampling and returns what was seen since the start. */
  stop(): {
    readonly cpuSeconds: number;
    readonly peakBytes: number;
    readonly processes: readonly { pid: number; cpuSeconds: number; peakBytes: number }[];
  } {
    clearInterval(this.#timer);
    this.#sample();
    const processes = [...this.#last].map(([pid, last]) => ({
      pid,
      cpuSeconds: last.cpuSeconds - (this.#first.get(pid)?.cpuSeconds ?? 0),
      peakBytes: this.#peakOf.get(pid) ?? 0,
    }));
    return { cpuSeconds: processes.reduce((sum, p) => sum + p.cpuSeconds, 0), peakBytes: this.#peakBytes, processes };
  }

  #sample(): void {
    let sum = 0;
    for (const pid of processTree(this.#pid)) {
      const stats = processStats(pid);
      if (stats === undefined) continue;
      // A process that appears later is counted from its birth, when it had used nothing.
      if (!this.#first.has(pid)) this.#first.set(pid, this.#last.size === 0 ? stats : { cpuSeconds: 0, pssBytes: 0 });
      this.#last.set(pid, stats);
      this.#peakOf.set(pid, Math.max(this.#peakOf.get(pid) ?? 0, stats.pssBytes));
      sum += stats.pssBytes;
    }
    this.#peakBytes = Math.max(this.#peakBytes, sum);
  }
}
