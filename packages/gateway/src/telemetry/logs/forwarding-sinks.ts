import type { LoggingConfig } from '../../config/model/observability.ts';
import { LineBuffer } from './line-buffer.ts';
import type { LineSink } from './log-sink.ts';
import type { ForwardedLines, LogName, LogSinkSet, SinkOpener } from './log-sinks.ts';

const FLUSH_INTERVAL_MS = 200;
/** A message between threads costs as much as writing dozens of lines. */
const FLUSH_BYTES = 64 * 1024;
/** The last line begins before that. */
const LINE_BYTES = 8 * 1024;

/** Sinks that hand lines to the thread which writes them, so that there is one writer for each file. */
export class ForwardingSinks implements SinkOpener {
  readonly #set: Readonly<Record<LogName, ForwardingSink>>;
  readonly #timer: NodeJS.Timeout;

  /** `post` takes lines, whose memory is the receiver's from then on. */
  constructor(post: (lines: ForwardedLines) => void) {
    this.#set = {
      access: new ForwardingSink('access', post),
      error: new ForwardingSink('error', post),
      audit: new ForwardingSink('audit', post),
    };
    this.#timer = setInterval(() => this.#flush(), FLUSH_INTERVAL_MS).unref();
  }

  update({ accessLog, errorLog, auditLog }: LoggingConfig): LogSinkSet {
    const { access, error, audit } = this.#set;
    return {
      ...(accessLog?.enabled ? { access } : {}),
      ...(errorLog.enabled ? { error } : {}),
      ...(auditLog?.enabled ? { audit } : {}),
    };
  }

  reopen(): void {}

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
  }

  #flush(): void {
    for (const sink of Object.values(this.#set)) sink.flush();
  }
}

class ForwardingSink implements LineSink {
  readonly line: LineBuffer = new LineBuffer();
  readonly #log: LogName;
  readonly #post: (lines: ForwardedLines) => void;
  #lines = 0;

  constructor(log: LogName, post: (lines: ForwardedLines) => void) {
    this.#log = log;
    this.#post = post;
  }

  lineWritten(): void {
    this.#lines++;
    if (this.line.length >= FLUSH_BYTES) this.flush();
  }

  flush(): void {
    if (this.#lines === 0) return;
    this.#post({
      log: this.#log,
      bytes: this.line.take(Buffer.allocUnsafeSlow(FLUSH_BYTES + LINE_BYTES)),
      lines: this.#lines,
    });
    this.#lines = 0;
  }

  reopen(): void {}

  async close(): Promise<void> {
    this.flush();
  }
}
