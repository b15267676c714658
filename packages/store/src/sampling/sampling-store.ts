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
import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { countRoots } from './count-roots.ts';
import { saveRound } from './save-round.ts';

/** Terms whose claims anybody looks at. */
const RECENT_TERMS = 10;

/** Repeating a statement on purpose is no repeated request. */
const repeatable = Object.freeze({ insert_deduplicate: 0 });
const complete = Object.freeze({ lightweight_deletes_sync: 2 });

/** The memory of adaptive sampling, in tables of its own beside the spans. */
export class SqlSamplingStore implements SamplingStore {
  readonly exclusive: boolean;
  readonly #client: () => Promise<SqlClient>;

  /** `exclusive` says that no other process can use the tables. `client` is asked for with every statement, and may wait for the tables. */
  constructor(client: () => Promise<SqlClient>, options: { readonly exclusive: boolean }) {
    this.#client = client;
    this.exclusive = options.exclusive;
  }

  async countRoots(request: RootCountRequest, signal: AbortSignal): Promise<RootCount[]> {
    return countRoots(await this.#ready(signal), request, signal);
  }

  async latestRound(tenant: string, signal: AbortSignal): Promise<SamplingRound> {
    const [latest] = await this.#rows<{ round: string }>(
      "SELECT max(round) AS round FROM sampling_rounds WHERE tenant = {tenant:String} AND service = ''",
      { comment: 'find the newest round of adaptive sampling', params: { tenant }, signal },
    );
    const round = Number(latest?.round ?? 0);
    if (round === 0) return { round, operations: [] };
    const rows = await this.#rows<StateRow>(
      'SELECT service, operation, probability, traces_per_second, followed, changed_round FROM sampling_rounds FINAL ' +
        "WHERE tenant = {tenant:String} AND round = {round:UInt64} AND service != ''",
      { comment: 'read a round of adaptive sampling', params: { tenant, round }, signal },
    );
    return {
      round,
      operations: rows.map((row) => ({
        service: row.service,
        operation: row.operation,
        probability: row.probability,
        tracesPerSecond: row.traces_per_second,
        followed: row.followed === 1,
        changedRound: Number(row.changed_round),
      })),
    };
  }

  async saveRound(tenant: string, round: SamplingRound, signal: AbortSignal): Promise<void> {
    return saveRound(await this.#ready(signal), tenant, round, signal);
  }

  async servedSince(tenant: string, unixMs: number, signal: AbortSignal): Promise<ServedStrategy[]> {
    const rows = await this.#rows<ServedRow>(
      'SELECT service, version, min(first_ms) AS first, max(last_ms) AS last FROM sampling_served ' +
        'WHERE tenant = {tenant:String} GROUP BY service, version HAVING last >= {since:UInt64}',
      { comment: 'find who asks how much to sample', params: { tenant, since: Math.floor(unixMs) }, signal },
    );
    return rows.map(({ service, version, first, last }) => ({
      service,
      version: Number(version),
      firstUnixMs: Number(first),
      lastUnixMs: Number(last),
    }));
  }

  async noteServed(tenant: string, served: readonly ServedStrategy[], signal: AbortSignal): Promise<void> {
    for (let start = 0; start < served.length; start += NOTES_AT_ONCE) {
      const notes = served.slice(start, start + NOTES_AT_ONCE);
      await this.#write(
        'INSERT INTO sampling_served (tenant, service, version, first_ms, last_ms) SELECT {tenant:String}, note.1, note.2, note.3, note.4 ' +
          'FROM (SELECT arrayJoin(arrayZip({services:Array(String)}, {versions:Array(UInt64)}, {first:Array(UInt64)}, {last:Array(UInt64)})) AS note)',
        {
          comment: 'note who asked how much to sample',
          params: {
            tenant,
            services: notes.map(({ service }) => service),
            versions: notes.map(({ version }) => version),
            first: notes.map(({ firstUnixMs }) => firstUnixMs),
            last: notes.map(({ lastUnixMs }) => lastUnixMs),
          },
          settings: repeatable,
          signal,
        },
      );
    }
  }

  async leaseState(signal: AbortSignal): Promise<LeaseState> {
    const rows = await this.#rows<LeaseRow>(
      'SELECT term, holder, min(claimed_ms) AS claimed, max(until_ms) AS until, max(released) AS given FROM sampling_leases ' +
        `WHERE term + ${RECENT_TERMS} > (SELECT max(term) FROM sampling_leases) GROUP BY term, holder`,
      { comment: 'read the leases of adaptive sampling', signal },
    );
    // Asked after the claims, so that none of them is from the future.
    const [clock] = await this.#rows<{ now: string }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now', {
      comment: 'read the clock',
      signal,
    });
    return { nowUnixMs: Number(clock?.now), claims: rows.map(claimOf) };
  }

  async claimLease({ term, holder, durationMs, released = false }: LeaseWish, signal: AbortSignal): Promise<void> {
    return this.#write(
      'INSERT INTO sampling_leases (term, holder, claimed_ms, until_ms, released) ' +
        'SELECT {term:UInt64}, {holder:String}, now, now + {duration:UInt64}, {released:UInt8} FROM (SELECT toUnixTimestamp64Milli(now64(3)) AS now)',
      {
        comment: 'claim the lease of adaptive sampling',
        params: { term, holder, duration: Math.round(durationMs), released },
        settings: repeatable,
        signal,
      },
    );
  }

  async forgetBefore(tenant: string, unixMs: number, round: number, signal: AbortSignal): Promise<void> {
    const options = { comment: 'forget old state of adaptive sampling', settings: complete, signal };
    await this.#write('DELETE FROM sampling_rounds WHERE tenant = {tenant:String} AND round < {round:UInt64}', {
      ...options,
      params: { tenant, round },
    });
    await this.#write('DELETE FROM sampling_served WHERE tenant = {tenant:String} AND last_ms < {before:UInt64}', {
      ...options,
      params: { tenant, before: Math.floor(unixMs) },
    });
    const [newest] = await this.#rows<{ term: string }>('SELECT max(term) AS term FROM sampling_leases', options);
    // Only whole terms: the first row of a claim says since when it is one.
    const term = Math.max(0, Number(newest?.term ?? 0) - RECENT_TERMS);
    await this.#write('DELETE FROM sampling_leases WHERE term < {term:UInt64}', { ...options, params: { term } });
  }

  /** The client, unless the caller gives up before it is there. */
  async #ready(signal: AbortSignal): Promise<SqlClient> {
    signal.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#client(), aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #rows<Row>(sql: string, options: Asked): Promise<Row[]> {
    return (await this.#ready(options.signal)).rows<Row>(sql, { ...options, class: 'point' });
  }

  async #write(sql: string, options: Asked): Promise<void> {
    return (await this.#ready(options.signal)).execute(sql, { ...options, class: 'control' });
  }
}

type Asked = Omit<StatementOptions, 'class' | 'signal'> & { readonly signal: AbortSignal };

/** Notes of one statement: with names of ordinary length far below what a request may carry. */
const NOTES_AT_ONCE = 500;

interface StateRow {
  readonly service: string;
  readonly operation: string;
  readonly probability: number;
  readonly traces_per_second: number;
  readonly followed: number;
  readonly changed_round: string;
}

interface ServedRow {
  readonly service: string;
  readonly version: string;
  readonly first: string;
  readonly last: string;
}

interface LeaseRow {
  readonly term: string;
  readonly holder: string;
  readonly claimed: string;
  readonly until: string;
  readonly given: number;
}

function claimOf({ term, holder, claimed, until, given }: LeaseRow): LeaseClaim {
  return {
    term: Number(term),
    holder,
    claimedUnixMs: Number(claimed),
    untilUnixMs: Number(until),
    released: given === 1,
  };
}
