/** How an engine that may hang is watched. */
export interface HeartbeatOptions {
  /** Whether the engine answers; must settle within its own time limit. */
  readonly ping: () => Promise<boolean>;
  /** Told once, when the engine has not answered so often in a row. */
  readonly onHung: (silentMs: number) => void;
  /** Pause between pings, in milliseconds. */
  readonly everyMs: number;
  /** Pings without an answer that are forgiven: a machine may be busy. */
  readonly forgiven: number;
}

/** Pings until it is told to end; a process that lives and answers nothing is as good as dead and has to be ended by somebody. */
export function startHeartbeat({ ping, onHung, everyMs, forgiven }: HeartbeatOptions): () => void {
  let missed = 0;
  let silentSinceMs = performance.now();
  let ended = false;
  let timer: NodeJS.Timeout;
  const beat = async (): Promise<void> => {
    const answered = await ping();
    if (ended) return;
    if (answered) {
      missed = 0;
      silentSinceMs = performance.now();
    } else if (++missed > forgiven) {
      onHung(performance.now() - silentSinceMs);
      return;
    }
    schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void beat(), everyMs);
    timer.unref();
  };
  schedule();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
