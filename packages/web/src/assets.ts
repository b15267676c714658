// The only file of this package that runs in Node: it tells a server what the built page consists of.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@clew/base';

/** Where `npx vite build packages/web` puts the page. */
export const webDistDirectory: string = fileURLToPath(new URL('../dist', import.meta.url));

/** Codes of `WebAssetsError`. */
export type WebAssetsErrorCode = 'not_built';

/** Raised when the page cannot be served. */
export class WebAssetsError extends CodedError<WebAssetsErrorCode> {}

/** One file of the built page. */
export interface WebAsset {
  /** Its path below the base path, without a leading slash: `assets/index-abc123.js`. */
  readonly path: string;
  /** The absolute path of the file. */
  readonly file: string;
  readonly contentType: string;
  readonly cacheControl: string;
  /** A strong validator, with its quotes. */
  readonly etag: string;
  /** Files with the same content compressed, by content coding. */
  readonly encodings: Readonly<Partial<Record<'br' | 'gzip', string>>>;
}

/** Files whose name holds a hash of their content never change. */
const immutable = 'public, max-age=31536000, immutable';
const revalidate = 'no-cache';

const contentTypes: Readonly<Record<string, string>> = Object.freeze({
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
});

/**
 * What the page may load: its own files and its own API. `style-src` allows inline styles because the
 * combobox library positions its lists with them; scripts are files only.
 */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
].join('; ');

/**
 * All files of the built page but index.html, which `renderIndexHtml` makes. Rejects with `not_built` when
 * the page was never built.
 */
export async function listWebAssets(directory: string = webDistDirectory): Promise<readonly WebAsset[]> {
  const paths = await filesBelow(directory);
  const present = new Set(paths);
  const assets = paths.filter((path) => path !== 'index.html' && !/\.(br|gz)$/.test(path));
  return Promise.all(assets.map(async (path) => describe(directory, path, present)));
}

async function describe(directory: string, path: string, present: ReadonlySet<string>): Promise<WebAsset> {
  const file = join(directory, path);
  const hash = createHash('sha256')
    .update(await readFile(file))
    .digest('base64url')
    .slice(0, 22);
  return {
    path,
    file,
    contentType: contentTypes[extname(path)] ?? 'application/octet-stream',
    cacheControl: path.startsWith('assets/') && /-[\w-]{8,}\.\w+$/.test(basename(path)) ? immutable : revalidate,
    etag: `"${hash}"`,
    encodings: {
      ...(present.has(`${path}.br`) ? { br: `${file}.br` } : {}),
      ...(present.has(`${path}.gz`) ? { gzip: `${file}.gz` } : {}),
    },
  };
}

/**
 * The document for every address of the page, with the server's base path filled in (`/` or `/clew`).
 * Send it with `content-type: text/html; charset=utf-8`, `cache-control: no-cache` and
 * `contentSecurityPolicy`.
 */
export async function renderIndexHtml(basePath: string, directory: string = webDistDirectory): Promise<string> {
  await filesBelow(directory);
  const html = await readFile(join(directory, 'index.html'), 'utf8');
  const base = `/${basePath
    .split('/')
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/')}/`.replace('//', '/');
  return html.replace('<base href="/" />', `<base href="${base}" />`);
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const index = join(directory, 'index.html');
  try {
    await stat(index);
  } catch (caught) {
    const message = `The page cannot be served: ${index} does not exist. Build it with \`npx vite build packages/web\`.`;
    throw new WebAssetsError('not_built', message, { cause: caught });
  }
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(directory.length + 1)
        .replaceAll('\\', '/'),
    );
}
