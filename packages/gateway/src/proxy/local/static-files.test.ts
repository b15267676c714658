import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { onEnd } from '../../../test/proxy/harness.ts';
import { connection } from '../../telemetry/test/exchanges.ts';
import { Exchange } from '../exchange.ts';
import type { LocalAnswer } from './answer.ts';
import { StaticFiles } from './static-files.ts';

function files(): { readonly root: string; readonly served: StaticFiles } {
  const root = mkdtempSync(join(tmpdir(), 'static-files-'));
  onEnd(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'ten.bin'), '0123456789');
  const config = { root, index: 'index.html', directoryListing: false, cacheControl: 'no-cache', compress: false };
  return { root, served: new StaticFiles(config) };
}

function request(path: string, requestHeaders: readonly string[] = []): Exchange {
  return Object.assign(new Exchange(connection(), 0, 0), { method: 'GET', path, requestHeaders });
}

describe('a file that goes away', () => {
  it.each([
    ['whole', [], '0123456789'],
    ['in part', ['Range', 'bytes=2-4'], '234'],
  ])('after it was found, is still served %s', async (_how, requestHeaders, expected) => {
    const { root, served } = files();
    const answer = (await served.answer(request('/ten.bin', requestHeaders))) as LocalAnswer;
    rmSync(root, { recursive: true });
    expect(await text(answer.body as Readable)).toBe(expected);
  });

  it('while nobody reads, troubles nobody', async () => {
    const { root, served } = files();
    const answer = (await served.answer(request('/ten.bin'))) as LocalAnswer;
    rmSync(root, { recursive: true });
    const body = answer.body as Readable;
    body.destroy();
    await new Promise((closed) => body.once('close', closed));
    expect(body.errored).toBeNull();
  });
});
