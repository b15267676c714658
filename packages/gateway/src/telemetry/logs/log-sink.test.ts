import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentTelemetry } from '@clew/base';
import type { Logger } from '@clew/base';
import { FileSink, openPlace } from './log-sink.ts';
import type { LineSink } from './log-sink.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clew-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const maxWaitingBytes = 16 * 1024 * 1024;

function sinkOf(file: string, bufferBytes = 8192, waitingBytes = maxWaitingBytes) {
  const lost = vi.fn<(lines: number) => void>();
  const opened = openPlace(
    'access log',
    { file, defaultFile: '', bufferBytes, maxWaitingBytes },
    silentTelemetry.logger,
  );
  return {
    lost,
    sink: new FileSink(
      opened,
      { bufferBytes, maxWaitingBytes: waitingBytes },
      { logger: silentTelemetry.logger, lost },
    ),
  };
}

function writeLine(sink: LineSink, text: string): void {
  const start = sink.line.length;
  sink.line.ascii(`${text}\n`);
  sink.lineWritten(start);
}

const numbers = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index}\n`).join('');

describe('a log file', () => {
  it('has every line in order after closing', async () => {
    const file = join(folder, 'deep', 'access.log');
    const { sink, lost } = sinkOf(file, 200);
    for (let index = 0; index < 5000; index++) {
      writeLine(sink, `line ${index}`);
      if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await sink.close();
    expect(readFileSync(file, 'utf8')).toBe(numbers(5000));
    expect(lost).not.toHaveBeenCalled();
  });

  it('is written within a moment though the buffer is not full', async () => {
    const file = join(folder, 'access.log');
    const { sink } = sinkOf(file);
    writeLine(sink, 'alone');
    await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toBe('alone\n'), { timeout: 20_000 });
    await sink.close();
  });

  it('is appended to', async () => {
    const file = join(folder, 'access.log');
    writeFileSync(file, 'before\n');
    const { sink } = sinkOf(file);
    writeLine(sink, 'after');
    await sink.close();
    expect(readFileSync(file, 'utf8')).toBe('before\nafter\n');
  });

  it('goes on in a new file after one was renamed and the sink was told', async () => {
    const file = join(folder, 'access.log');
    const { sink } = sinkOf(file, 1);
    for (let index = 0; index < 100; index++) writeLine(sink, `line ${index}`);
    renameSync(file, `${file}.1`);
    sink.reopen();
    for (let index = 100; index < 200; index++) writeLine(sink, `line ${index}`);
    await sink.close();
    expect(readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8')).toBe(numbers(200));
    expect(readFileSync(file, 'utf8')).toContain('line 199\n');
  });

  it('has no hole after it was copied and truncated', async () => {
    const file = join(folder, 'access.log');
    const { sink } = sinkOf(file, 1);
    writeLine(sink, 'first');
    await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toBe('first\n'), { timeout: 20_000 });
    truncateSync(file, 0);
    writeLine(sink, 'second');
    await sink.close();
    expect(readFileSync(file, 'utf8')).toBe('second\n');
  });

  it('counts lines that come after its end', async () => {
    const { sink, lost } = sinkOf(join(folder, 'access.log'));
    await sink.close();
    writeLine(sink, 'late');
    expect(lost).toHaveBeenCalledWith(1);
  });
});

describe('the place of a log', () => {
  const said: string[] = [];
  const logger: Logger = {
    ...silentTelemetry.logger,
    info: (message) => void said.push(`info ${message}`),
    warn: (message) => void said.push(`warn ${message}`),
  };
  beforeEach(() => void (said.length = 0));

  it('is standard output, with a warning, when the named file cannot be opened', () => {
    writeFileSync(join(folder, 'file'), '');
    const { place } = openPlace(
      'audit log',
      { file: join(folder, 'file', 'x'), defaultFile: '', bufferBytes: 1, maxWaitingBytes },
      logger,
    );
    expect(place).toEqual({ kind: 'stdout' });
    expect(said).toEqual(['warn The audit log cannot be written to its file; standard output is used.']);
  });

  it('is standard output when the folder of the usual file does not exist', () => {
    const defaultFile = join(folder, 'none', 'access.log');
    expect(openPlace('access log', { defaultFile, bufferBytes: 1, maxWaitingBytes }, logger).place).toEqual({
      kind: 'stdout',
    });
    expect(said).toEqual(['info The access log is written to standard output.']);
  });

  it('is the usual file when its folder is there', () => {
    mkdirSync(join(folder, 'log'));
    const defaultFile = join(folder, 'log', 'access.log');
    expect(openPlace('access log', { defaultFile, bufferBytes: 1, maxWaitingBytes }, logger).place).toEqual({
      kind: 'file',
      path: defaultFile,
    });
  });
});

describe('lines that wait for a slow disk', () => {
  it('are lost and counted beyond what may wait', async () => {
    const { sink, lost } = sinkOf(join(folder, 'a.log'), 1, 150);
    const text = 'x'.repeat(59);
    writeLine(sink, text);
    // While this is being written, two more fit, and a third does not.
    sink.flush();
    for (let n = 0; n < 3; n++) writeLine(sink, text);
    expect(lost.mock.calls).toEqual([[1]]);
    await sink.close();
    expect(readFileSync(join(folder, 'a.log'), 'utf8')).toBe(`${text}\n`.repeat(3));
  });
});
