import { setTimeout as sleep } from 'node:timers/promises';
import { postJson, requestOf, traceIdOf } from './otlp-json.ts';

/** What a client was told that was not "accepted". */
export interface Refused {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** Clients that send all the time and remember what they were promised. */
export interface Load {
  /** Trace ids of requests answered with success: each must be stored exactly once. */
  readonly acknowledged: readonly string[];
  readonly refused: readonly Refused[];
  /** Requests that ended without an answer: they may be stored or not. */
  readonly unanswered: number;
  stop(): Promise<void>;
}

const clients = 4;
const tracesPerRequest = 20;
let families = 100;

/** Starts sending JSON requests of 20 one-span traces from 4 clients, each waiting for its answer before the next. */
export function startLoad(httpPort: number): Load {
  const family = families++;
  const acknowledged: string[] = [];
  const refused: Refused[] = [];
  const counts = { unanswered: 0, sent: 0 };
  let running = true;

  async function client(): Promise<void> {
    while (running) {
      const first = counts.sent;
      counts.sent += tracesPerRequest;
      const ids = Array.from({ length: tracesPerRequest }, (_, at) => traceIdOf(family, first + at));
      try {
        const response = await postJson(httpPort, requestOf('load', ids));
        await response.arrayBuffer();
        if (response.ok) acknowledged.push(...ids);
        else refused.push({ status: response.status, retryAfter: response.headers.get('retry-after') });
      } catch {
        counts.unanswered++; // The server went away, which is what these tests make it do.
        await sleep(20);
      }
      await sleep(1);
    }
  }
  const done = Promise.all(Array.from({ length: clients }, client));
  return {
    acknowledged,
    refused,
    get unanswered() {
      return counts.unanswered;
    },
    async stop() {
      running = false;
      await done;
    },
  };
}
