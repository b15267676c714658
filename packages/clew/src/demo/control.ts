import type { DemoRequest, DemoState, DemoTrace } from '@clew/api';
import { createOtlpClient } from '@clew/net';
import type { OtlpClient } from '@clew/net';
import type { DemoControl } from '@clew/query';
import { encodeTraces } from '@clew/wire/otlp';
import { ClewError } from '../errors.ts';
import { shopCases } from './shop.ts';
import type { ShopCase } from './shop.ts';
import { DemoTraffic } from './traffic.ts';

const defaultBurst = 60;
const defaultRate = 1;
/** A burst is spread over the last minutes, so that lists and charts have something to show. */
const burstSpreadNano = 10n * 60_000_000_000n;
/** The longest story, so that no trace ends in the future. */
const longestTraceNano = 6_000_000_000n;
const tracesPerRequest = 50;
/** Steady traffic ends by itself, so that nobody fills a disk by accident. */
const steadyLimitMs = 60 * 60_000;

/** The demo behind the page's button: sends to the program's own receiver, as an SDK would. */
export class DemoGenerator implements DemoControl {
  readonly #endpoint: () => string | undefined;
  readonly #traffic = new DemoTraffic();
  #client: OtlpClient | undefined;
  #mode: DemoState['mode'] = 'off';
  #sent = 0;
  #stories: DemoTrace[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param endpoint where the program receives OTLP over HTTP, once it does */
  constructor(endpoint: () => string | undefined) {
    this.#endpoint = endpoint;
  }

  state(): DemoState {
    return { mode: this.#mode, tracesSent: this.#sent, traces: this.#stories };
  }

  async start({ mode, traces }: DemoRequest): Promise<DemoState> {
    this.stop();
    await this.#sendStories();
    if (mode === 'burst') await this.#burst(traces ?? defaultBurst);
    else this.#steady(traces ?? defaultRate);
    return this.state();
  }

  stop(): DemoState {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#mode = 'off';
    return this.state();
  }

  /** Ends everything with the program. */
  async close(): Promise<void> {
    this.stop();
    await this.#client?.close();
  }

  /** One trace of each story, named in the state, so that a newcomer has something to open. */
  async #sendStories(): Promise<void> {
    const now = nowUnixNano() - longestTraceNano;
    const stories = (Object.keys(shopCases) as ShopCase[]).map((name) => {
      const { batch, traceId } = this.#traffic.trace(now, name);
      return { batch, entry: { traceId, story: name.replace('-', '_'), title: shopCases[name] } };
    });
    for (const { batch } of stories) await this.#send(encodeTraces(batch), 1);
    this.#stories = stories.map(({ entry }) => entry);
  }

  async #burst(traces: number): Promise<void> {
    const end = nowUnixNano() - longestTraceNano;
    for (let sent = 0; sent < traces; sent += tracesPerRequest) {
      const piece = Math.min(tracesPerRequest, traces - sent);
      const pieceEnd = end - burstSpreadNano + (burstSpreadNano * BigInt(sent + piece)) / BigInt(traces);
      const batch = this.#traffic.burst(piece, pieceEnd, (burstSpreadNano * BigInt(piece)) / BigInt(traces));
      await this.#send(encodeTraces(batch), piece);
    }
  }

  #steady(tracesPerSecond: number): void {
    this.#mode = 'steady';
    const startedMs = Date.now();
    this.#timer = setInterval(() => {
      if (Date.now() - startedMs > steadyLimitMs) this.stop();
      const { batch } = this.#traffic.trace(nowUnixNano() - longestTraceNano);
      // A refused demo trace is not worth a word: the next one follows.
      this.#send(encodeTraces(batch), 1).catch(() => undefined);
    }, 1000 / tracesPerSecond);
    this.#timer.unref();
  }

  async #send(body: Uint8Array, traces: number): Promise<void> {
    const endpoint = this.#endpoint();
    if (endpoint === undefined)
      throw new ClewError('unreachable', 'the demo has nowhere to send: no OTLP receiver over HTTP is running');
    this.#client ??= createOtlpClient({
      protocol: 'http/protobuf',
      endpoint,
      timeoutMs: 5_000,
      retry: { initialIntervalMs: 200, maxIntervalMs: 1_000, maxElapsedTimeMs: 5_000 },
      userAgent: 'clew-demo',
    });
    await this.#client.send('traces', body);
    this.#sent += traces;
  }
}

function nowUnixNano(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
