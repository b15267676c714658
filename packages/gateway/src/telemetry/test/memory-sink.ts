import { LineBuffer } from '../logs/line-buffer.ts';
import type { LineSink } from '../logs/log-sink.ts';

/** A sink that keeps its lines. */
export class MemorySink implements LineSink {
  readonly line = new LineBuffer();
  readonly lines: string[] = [];

  lineWritten(): void {
    const text = this.line.take().toString('utf8');
    if (!text.endsWith('\n') || text.indexOf('\n') !== text.length - 1) throw new Error(`not one line: ${text}`);
    this.lines.push(text.slice(0, -1));
  }

  reopen(): void {}

  async close(): Promise<void> {}
}
