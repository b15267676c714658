import { constants } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { RejectReason } from '../exchange.ts';
import type { KeepaliveSettings } from './types.ts';

/** Limits of one HTTP/2 connection. */
export interface SessionLimits {
  readonly keepalive: KeepaliveSettings;
  readonly streamResetBurst: number;
  readonly streamResetsPerSecond: number;
  readonly reject: (reason: RejectReason, detail: string) => void;
}

const defaultPingIntervalMs = 7_200_000;
const defaultPingTimeoutMs = 20_000;
const defaultMinPingMs = 300_000;
/** As every gRPC server counts: two pings too early are forgiven. */
const maxPingStrikes = 2;
/** Connections opened together must not all be closed together. */
const ageJitter = 0.1;
const maxTimerMs = 2 ** 31 - 1;

/**
 * Watches one HTTP/2 connection: closes it when idle or old, pings it when silent, and sends away clients that ping
 * or reset streams too often (CVE-2023-44487). node:http2 itself bounds settings, invalid frames and CONTINUATION.
 */
export class SessionKeeper {
  readonly session: ServerHttp2Session;
  readonly #limits: SessionLimits;
  readonly #timers = new Set<NodeJS.Timeout>();
  #idleTimer: NodeJS.Timeout | undefined;
  #openStreams = 0;
  #resetTokens: number;
  #resetsAtMs = Date.now();
  #pingStrikes = 0;
  #lastPingAtMs: number | undefined;

  constructor(session: ServerHttp2Session, limits: SessionLimits) {
    this.session = session;
    this.#limits = limits;
    this.#resetTokens = limits.streamResetBurst;
    session.on('close', () => this.#stop());
    session.on('ping', () => this.#onPing());
    this.#startAge();
    this.#startPings();
    this.#startIdle();
  }

  get openStreams(): number {
    return this.#openStreams;
  }

  /** Counts a stream for as long as it is open. */
  watch(stream: ServerHttp2Stream): void {
    this.#openStreams++;
    clearTimeout(this.#idleTimer);
    // Every failure of a stream also closes it; without a listener Node would end the process.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      // Only resets cost: a client may cancel calls, but not open and reset streams without end.
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#onReset();
      this.#openStreams--;
      // Answering a call clears the strikes: clients measure bandwidth by pinging around replies.
      if (stream.headersSent) this.#forgivePings();
      if (this.#openStreams === 0) this.#startIdle();
    });
  }

  /** Tells the peer to open no more streams; the connection ends with the last open one. */
  goAway(): void {
    if (!this.session.closed && !this.session.destroyed) this.session.close();
  }

  #after(delayMs: number, action: () => void): NodeJS.Timeout {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        action();
      },
      Math.min(delayMs, maxTimerMs),
    );
    timer.unref();
    this.#timers.add(timer);
    return timer;
  }

  #stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #startIdle(): void {
    const idleMs = this.#limits.keepalive.maxConnectionIdleMs ?? 0;
    if (idleMs > 0 && !this.session.closed) this.#idleTimer = this.#after(idleMs, () => this.goAway());
  }

  #startAge(): void {
    const { maxConnectionAgeMs = 0, maxConnectionAgeGraceMs = 0 } = this.#limits.keepalive;
    if (maxConnectionAgeMs <= 0) return;
    const jittered = maxConnectionAgeMs * (1 + ageJitter * (2 * Math.random() - 1));
    this.#after(jittered, () => {
      this.goAway();
      if (maxConnectionAgeGraceMs > 0) this.#after(maxConnectionAgeGraceMs, () => this.session.destroy());
    });
  }

  #startPings(): void {
    const intervalMs = this.#limits.keepalive.timeMs || defaultPingIntervalMs;
    this.#after(intervalMs, () => this.#ping());
  }

  #ping(): void {
    const { session } = this;
    if (session.closed || session.destroyed) return;
    const timeoutMs = this.#limits.keepalive.timeoutMs || defaultPingTimeoutMs;
    const overdue = this.#after(timeoutMs, () => session.destroy());
    session.ping((error) => {
      clearTimeout(overdue);
      this.#timers.delete(overdue);
      if (!error) this.#startPings();
    });
  }

  #onPing(): void {
    const { minTimeMs, permitWithoutStream = false } = this.#limits.keepalive;
    // Without open streams, and unless permitted, a client may ping as rarely as the server does.
    const idle = this.#openStreams === 0 && !permitWithoutStream;
    const minMs = idle ? defaultPingIntervalMs : (minTimeMs ?? defaultMinPingMs);
    const nowMs = Date.now();
    const early = this.#lastPingAtMs !== undefined && nowMs - this.#lastPingAtMs < minMs;
    this.#lastPingAtMs = nowMs;
    if (!early || ++this.#pingStrikes <= maxPingStrikes) return;
    this.#sendAway('too_many_pings', `a client pings more often than every ${minMs} ms`);
  }

  #forgivePings(): void {
    this.#pingStrikes = 0;
    this.#lastPingAtMs = undefined;
  }

  #onReset(): void {
    const { streamResetBurst, streamResetsPerSecond } = this.#limits;
    const nowMs = Date.now();
    const refilled = this.#resetTokens + ((nowMs - this.#resetsAtMs) / 1000) * streamResetsPerSecond;
    this.#resetsAtMs = nowMs;
    this.#resetTokens = Math.min(streamResetBurst, refilled) - 1;
    if (this.#resetTokens >= 0) return;
    const detail = `a client reset more than ${streamResetBurst} streams and ${streamResetsPerSecond} a second`;
    this.#sendAway('rapid_reset', detail);
  }

  #sendAway(reason: RejectReason, detail: string): void {
    if (this.session.destroyed) return;
    this.#limits.reject(reason, detail);
    this.session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(reason));
    this.session.destroy();
  }
}
