import type {
  LeaseClaim,
  LeaseState,
  LeaseWish,
  RootCount,
  RootCountRequest,
  SamplingRound,
  SamplingStore,
  ServedStrategy,
} from '@clew/pipeline';
import type { SampleRoots } from '@clew/pipeline/contract-tests';

/** A sampling store in memory, which several "processes" of a test share; fails when told to. */
export class MemorySamplingStore implements SamplingStore {
  readonly exclusive: boolean;
  readonly #now: () => number;
  readonly #roots: SampleRoots[] = [];
  readonly #rounds = new Map<string, SamplingRound[]>();
  readonly #served = new Map<string, ServedStrategy[]>();
  #claims: LeaseClaim[] = [];
  /** Thrown by every method while it is set. */
  failure: Error | undefined;
  /** How often traffic was counted. */
  counted = 0;

  constructor({
    exclusive = true,
    now = Date.now,
  }: { readonly exclusive?: boolean; readonly now?: () => number } = {}) {
    this.exclusive = exclusive;
    this.#now = now;
  }

  addRoots(roots: readonly SampleRoots[]): void {
    this.#roots.push(...roots);
  }

  async countRoots(request: RootCountRequest): Promise<RootCount[]> {
    this.#check();
    this.counted++;
    const { intervalMs, firstInterval, lastInterval, services, maxRowsPerService } = request;
    const rows = new Map<string, RootCount>();
    for (const { tenant, service, operation, sampler, receivedUnixMs, param, traces } of this.#roots) {
      const interval = Math.floor(receivedUnixMs / intervalMs);
      const isMeant = tenant === request.tenant && services.includes(service);
      if (!isMeant || interval < firstInterval || interval > lastInterval) continue;
      const rounded = sampler === 'untagged' ? 0 : Number(param.toFixed(6));
      const key = JSON.stringify([interval, service, operation, sampler, rounded]);
      const before = rows.get(key)?.traces ?? 0;
      rows.set(key, { interval, service, operation, sampler, param: rounded, traces: before + traces });
    }
    const groups = Map.groupBy(rows.values(), ({ interval, service }) => `${interval} ${service}`);
    return [...groups.values()].flatMap((group) =>
      group.toSorted((a, b) => b.traces - a.traces).slice(0, maxRowsPerService),
    );
  }

  async latestRound(tenant: string): Promise<SamplingRound> {
    this.#check();
    const rounds = this.#rounds.get(tenant) ?? [];
    return structuredClone(rounds.toSorted((a, b) => b.round - a.round)[0] ?? { round: 0, operations: [] });
  }

  async saveRound(tenant: string, round: SamplingRound): Promise<void> {
    this.#check();
    const others = (this.#rounds.get(tenant) ?? []).filter((other) => other.round !== round.round);
    this.#rounds.set(tenant, [...others, structuredClone(round)]);
  }

  async servedSince(tenant: string, unixMs: number): Promise<ServedStrategy[]> {
    this.#check();
    return (this.#served.get(tenant) ?? []).filter(({ lastUnixMs }) => lastUnixMs >= unixMs);
  }

  async noteServed(tenant: string, served: readonly ServedStrategy[]): Promise<void> {
    this.#check();
    const notes = [...(this.#served.get(tenant) ?? []), ...served];
    const groups = Map.groupBy(notes, ({ service, version }) => `${version} ${service}`);
    const merged = [...groups.values()].map((group) => ({
      service: group[0]!.service,
      version: group[0]!.version,
      firstUnixMs: Math.min(...group.map(({ firstUnixMs }) => firstUnixMs)),
      lastUnixMs: Math.max(...group.map(({ lastUnixMs }) => lastUnixMs)),
    }));
    this.#served.set(tenant, merged);
  }

  async leaseState(): Promise<LeaseState> {
    this.#check();
    return { nowUnixMs: this.#now(), claims: [...this.#claims] };
  }

  async claimLease({ term, holder, durationMs, released = false }: LeaseWish): Promise<void> {
    this.#check();
    const now = this.#now();
    const before = this.#claims.find((claim) => claim.term === term && claim.holder === holder);
    const claim = {
      term,
      holder,
      claimedUnixMs: before?.claimedUnixMs ?? now,
      untilUnixMs: Math.max(before?.untilUnixMs ?? 0, now + durationMs),
      released: released || (before?.released ?? false),
    };
    this.#claims = [...this.#claims.filter((other) => other !== before), claim];
  }

  async forgetBefore(tenant: string, unixMs: number, round: number): Promise<void> {
    this.#check();
    const rounds = (this.#rounds.get(tenant) ?? []).filter((each) => each.round >= round);
    this.#rounds.set(tenant, rounds);
    this.#served.set(tenant, await this.servedSince(tenant, unixMs));
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
