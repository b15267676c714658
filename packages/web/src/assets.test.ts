import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentSecurityPolicy, listWebAssets, renderIndexHtml, WebAssetsError } from './assets.ts';

describe('the built page, as a server sees it', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clew-assets-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const fill = async (): Promise<void> => {
    await mkdir(join(directory, 'assets'));
    await writeFile(join(directory, 'index.html'), '<head><base href="/" /></head>');
    await writeFile(join(directory, 'assets', 'index-Ab12Cd34.js'), 'code');
    await writeFile(join(directory, 'assets', 'index-Ab12Cd34.js.br'), 'b');
    await writeFile(join(directory, 'assets', 'index-Ab12Cd34.js.gz'), 'g');
    await writeFile(join(directory, 'theme.js'), 'theme');
  };

  it('says what to do when it was never built', async () => {
    await expect(listWebAssets(directory)).rejects.toThrow(WebAssetsError);
    await expect(renderIndexHtml('/', directory)).rejects.toMatchObject({ code: 'not_built' });
    await expect(listWebAssets(directory)).rejects.toThrow('npx vite build packages/web');
  });

  it('names each file once, with its compressed forms beside it', async () => {
    await fill();
    const assets = await listWebAssets(directory);
    expect(assets.map((asset) => asset.path).sort()).toEqual(['assets/index-Ab12Cd34.js', 'theme.js']);
    const script = assets.find((asset) => asset.path.startsWith('assets/'));
    expect(script?.encodings.br).toBe(join(directory, 'assets', 'index-Ab12Cd34.js.br'));
    expect(script?.contentType).toBe('text/javascript; charset=utf-8');
  });

  it('lets only files whose name holds a hash be kept for good', async () => {
    await fill();
    const cache = new Map((await listWebAssets(directory)).map((asset) => [asset.path, asset.cacheControl]));
    expect(cache.get('assets/index-Ab12Cd34.js')).toContain('immutable');
    expect(cache.get('theme.js')).toBe('no-cache');
  });

  it.each([
    ['', '/'],
    ['/', '/'],
    ['/clew', '/clew/'],
    ['/a b/"c/', '/a%20b/%22c/'],
  ])('fills the base path %j into the document as %s', async (basePath, written) => {
    await fill();
    expect(await renderIndexHtml(basePath, directory)).toBe(`<head><base href="${written}" /></head>`);
  });

  it('allows scripts from files of its own only', () => {
    expect(contentSecurityPolicy).toContain("script-src 'self';");
    expect(contentSecurityPolicy).toContain("default-src 'none'");
  });
});
