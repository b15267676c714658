import { describe, expect, it } from 'vitest';
import { parseInput } from '../cli/parse.ts';
import type { Command } from '../cli/command.ts';
import { workerCount, workersOption } from './worker-count.ts';

const command: Command = {
  name: 'x',
  summary: '',
  usage: 'x',
  options: { workers: workersOption },
  run: () => Promise.resolve(0),
};

function count(words: readonly string[], env: Record<string, string> = {}, cores = 8) {
  const io = { stdout: process.stdout, stderr: process.stderr, env, signal: new AbortController().signal };
  return workerCount(parseInput(command, words), io, cores);
}

describe('the number of edge workers', () => {
  it.each(['0', '-1', '1.5', 'many', '257', ' 2'])('is no %j', (text) => {
    const sentence = `it must be a whole number from 1 to 256`;
    expect(() => count([`--workers=${text}`])).toThrow(`--workers is ${JSON.stringify(text)}; ${sentence}`);
    expect(() => count([], { CLEW_WORKERS: text })).toThrow(`CLEW_WORKERS is ${JSON.stringify(text)}; ${sentence}`);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [64, 32],
  ])('is, with %i cores, %i unless somebody says otherwise', (cores, expected) =>
    expect(count([], {}, cores)).toEqual({ count: expected, asked: false }),
  );

  it('is what the option says, else what the environment says', () => {
    expect(count(['--workers', '3'], { CLEW_WORKERS: '5' })).toEqual({ count: 3, asked: true });
    expect(count([], { CLEW_WORKERS: '5' })).toEqual({ count: 5, asked: true });
    expect(count([], { CLEW_WORKERS: '' })).toEqual({ count: 4, asked: false });
  });
});
