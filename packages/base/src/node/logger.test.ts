import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogSampler, defaultLogSampling } from './log-sampler.ts';
import { createLogger } from './logger.ts';
import type { LoggerOptions } from './logger.ts';

function recording(options: LoggerOptions = {}) {
  const lines: string[] = [];
  return { lines, logger: createLogger({ ...options, write: (line) => lines.push(line) }) };
}

describe('createLogger', () => {
  it('writes nothing below its level, in children too, and follows a change of level', () => {
    const { lines, logger } = recording({ level: 'warn' });
    const child = logger.child({ kind: 'receiver' });
    child.info('quiet');
    expect(lines).toEqual([]);
    logger.setLevel('info');
    child.info('loud');
    expect(lines).toHaveLength(1);
  });

  it('separates time, level, message and fields by tabs on the console', () => {
    const { lines, logger } = recording();
    logger.child({ id: 'otlp' }).info('Starting GRPC server', { endpoint: 'localhost:4317' });
    const [time, level, message, fields] = lines[0]!.trimEnd().split('\t');
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect([level, message]).toEqual(['info', 'Starting GRPC server']);
    expect(JSON.parse(fields!)).toEqual({ id: 'otlp', endpoint: 'localhost:4317' });
  });

  it('writes one JSON object a line with the keys level, ts and msg', () => {
    const { lines, logger } = recording({ encoding: 'json', fields: { service: 'clew' } });
    logger.error('Exporting failed. Dropping data.', { dropped_items: 12n, error: new Error('refused') });
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 'error',
      msg: 'Exporting failed. Dropping data.',
      service: 'clew',
      dropped_items: '12',
      error: { message: 'refused', stack: expect.stringContaining('refused') as string },
    });
  });

  it('puts the stack of an error under its line on the console, unless told not to', () => {
    const shown = recording();
    shown.logger.error('broken', { error: new Error('why') });
    expect(shown.lines[0]).toContain('{"error":"why"}\nError: why\n');
    const hidden = recording({ disableStacktrace: true });
    hidden.logger.error('broken', { error: new Error('why') });
    expect(hidden.lines[0]!.trimEnd().split('\n')).toHaveLength(1);
  });

  it('appends to files', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'clew-log-'));
    const path = join(directory, 'deep', 'own.log');
    try {
      const logger = createLogger({ outputPaths: [path] });
      logger.info('first');
      logger.flush();
      expect(await readFile(path, 'utf8')).toContain('\tinfo\tfirst\n');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('LogSampler', () => {
  it('lets ten lines of one message through, then every hundredth, and starts over with the window', () => {
    let nowMs = 0;
    const sampler = new LogSampler(defaultLogSampling, () => nowMs);
    const allowed = () => Array.from({ length: 210 }, () => sampler.allows('warn', 'again')).filter(Boolean).length;
    expect(allowed()).toBe(12);
    expect(sampler.allows('warn', 'another')).toBe(true);
    nowMs = 10_000;
    expect(allowed()).toBe(12);
  });

  it('lets everything through when off', () => {
    const sampler = new LogSampler({ enabled: false, tickMs: 1, initial: 0, thereafter: 0 });
    expect(sampler.allows('info', 'x')).toBe(true);
  });
});
