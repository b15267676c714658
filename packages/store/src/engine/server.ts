import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '@clew/base';
import { StoreError } from '../errors.ts';
import type { EngineState, SqlClient } from './client.ts';
import type { EngineEvent } from './events.ts';
import type { Route } from './exchange.ts';
import { HttpSqlClient } from './http-client.ts';
import type { Connector } from './http-client.ts';
import type { LimitOptions } from './limits.ts';
import { resolveLimits } from './limits.ts';
import { ping } from './ping.ts';
import { commonSettings } from './settings.ts';
import { sqlIdentifier } from './sql-text.ts';

/** How to reach a ClickHouse server. */
export interface ServerEngineOptions {
  /** `http://` or `https://` address of its HTTP interface, without credentials and query. */
  readonly url: string;
  /** By default `default`. */
  readonly user?: string;
  /** By default empty. */
  readonly password?: string;
  /** Database statements run in; it must exist when it is not `default`. */
  readonly database?: string;
  /** Name of the cluster DDL is sent to; makes the target `cluster`. */
  readonly cluster?: string;
  /** Certificates to trust for https, in PEM; by default those of the system. */
  readonly certificateAuthority?: string;
  readonly limits?: LimitOptions;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** A connection to a ClickHouse server. */
export interface ServerEngine {
  readonly client: SqlClient;
  /** Closes idle connections and stops looking after the server. Statements under way go on. */
  stop(): Promise<void>;
}

const probeMs = 1_000;

/** Checks that a server answers and gives a client for it. Fails with `engine_unavailable`, `sql_error` or `invalid_argument`. */
export async function openServerEngine(options: ServerEngineOptions): Promise<ServerEngine> {
  const watch = new ServerWatch(parseUrl(options.url), options);
  const limits = resolveLimits(options.limits ?? {}, 0);
  const killer = new HttpSqlClient({ connector: watch.connector(() => undefined), limits });
  const onEvent = options.onEvent ?? (() => undefined);
  const everywhere = options.cluster === undefined ? '' : ` ON CLUSTER ${sqlIdentifier(options.cluster)}`;
  const kill = (queryId: string): void => {
    const sql = `KILL QUERY${everywhere} WHERE query_id = {id:String} ASYNC`;
    killer
      .execute(sql, {
        class: 'control',
        comment: 'kill an abandoned statement',
        params: { id: queryId },
        timeoutMs: 10_000,
      })
      .catch((caught: unknown) => {
        onEvent({
          kind: 'warning',
          message: `The abandoned statement ${queryId} could not be killed and runs on: ${errorMessage(caught)}`,
        });
      });
  };
  const client = new HttpSqlClient({
    connector: watch.connector(kill),
    limits,
    onStatement: (statement) => onEvent({ kind: 'statement', statement }),
  });
  const [row] = await client.rows<{ version: string }>('SELECT version() AS version', {
    class: 'control',
    comment: 'ask for the version',
    timeoutMs: 30_000,
  });
  watch.answered(row?.version ?? 'unknown');
  return {
    client,
    stop() {
      watch.stop();
      return Promise.resolve();
    },
  };
}

/** Remembers whether the server answers; once a connection has failed it asks again until it does. */
class ServerWatch {
  readonly #url: URL;
  readonly #options: ServerEngineOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #onEvent: (event: EngineEvent) => void;
  #state: EngineState = { kind: 'starting', sinceUnixMs: Date.now() };
  #version = 'unknown';

  constructor(url: URL, options: ServerEngineOptions) {
    this.#url = url;
    this.#options = options;
    this.#onEvent = options.onEvent ?? (() => undefined);
    const { certificateAuthority } = options;
    this.#agent =
      url.protocol === 'https:'
        ? new HttpsAgent({
            keepAlive: true,
            ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
          })
        : new HttpAgent({ keepAlive: true });
  }

  connector(abandoned: (queryId: string) => void): Connector {
    const { cluster, database } = this.#options;
    return {
      target: cluster === undefined ? 'server' : 'cluster',
      ...(cluster === undefined ? {} : { cluster }),
      database: database ?? 'default',
      settings: commonSettings,
      inserts: 'body',
      route: () => Promise.resolve(this.#route()),
      abandoned,
      broken: () => this.#broken(),
      state: () => this.#state,
      restarts: () => 0,
    };
  }

  answered(version: string): void {
    this.#version = version;
    this.#enter({ kind: 'ready', sinceUnixMs: Date.now(), version });
  }

  stop(): void {
    this.#enter({ kind: 'stopped' });
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  #route(): Route {
    if (this.#state.kind === 'stopped')
      throw new StoreError('engine_unavailable', 'The connection to the server has been stopped');
    const { user, password } = this.#options;
    return {
      secure: this.#url.protocol === 'https:',
      request: {
        ...this.#where(),
        headers: { 'x-clickhouse-user': user ?? 'default', 'x-clickhouse-key': password ?? '' },
      },
    };
  }

  #where(): { readonly host: string; readonly port: string; readonly agent: HttpAgent } {
    const { hostname, port, protocol } = this.#url;
    const fallback = protocol === 'https:' ? '8443' : '8123';
    // URL keeps the brackets of IPv6 addresses, a socket wants them without.
    return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? fallback : port, agent: this.#agent };
  }

  #broken(): void {
    if (this.#state.kind !== 'ready') return;
    void this.#probeUntilBack();
  }

  async #probeUntilBack(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const retryAtUnixMs = Date.now() + probeMs;
      this.#enter({ kind: 'restarting', attempt, retryAtUnixMs, reason: `no answer from ${this.#url.host}` });
      await delay(probeMs, undefined, { ref: false });
      if (this.#state.kind === 'stopped') return;
      if (await ping(this.#url.protocol === 'https:', this.#where())) return this.answered(this.#version);
    }
  }

  #enter(state: EngineState): void {
    this.#state = state;
    this.#onEvent({ kind: 'state', state });
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new StoreError(
      'invalid_argument',
      `Cannot use ${JSON.stringify(text)} as the address of a ClickHouse server: write http://host:8123 or https://host:8443`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new StoreError(
      'invalid_argument',
      'The address of a ClickHouse server carries no credentials and no query: use the user and password settings',
    );
  }
  return url;
}
