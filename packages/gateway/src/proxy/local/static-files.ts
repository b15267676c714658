import { constants } from 'node:fs';
import type { ReadStream, Stats } from 'node:fs';
import { access, open, readFile, readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { errorMessage } from '@clew/base';
import type { StaticFilesConfig } from '../../config/model/route.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { fieldValue } from '../headers/fields.ts';
import type { LocalAnswer } from './answer.ts';
import { directoryPage } from './directory-page.ts';
import { mediaType } from './media-types.ts';
import { parseRange } from './range.ts';

const compressGzip = promisify(gzip);

/** Files larger than this are sent as they are: compressing them would take the memory of all of them. */
const maxCompressedBytes = 1024 * 1024;
const minCompressedBytes = 1024;
/** Compressed files kept. */
const maxCacheEntries = 256;

/** What was found for a path. */
type Found =
  | { readonly kind: 'file'; readonly path: string; readonly stats: Stats }
  | { readonly kind: 'directory'; readonly path: string };

/** Serves the files of a folder. Nothing outside of it is ever read, whatever the path says or links point at. */
export class StaticFiles {
  readonly #config: StaticFilesConfig;
  readonly #root: string;
  #realRoot: string | undefined;
  readonly #compressed = new Map<string, Buffer>();

  constructor(config: StaticFilesConfig) {
    this.#config = config;
    this.#root = resolve(config.root);
  }

  /** The answer to a request. */
  async answer(exchange: Exchange): Promise<LocalAnswer | GatewayFailure> {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return methodNotAllowed();
    const relative = relativePath(exchange);
    if (relative === undefined) return notFound(exchange.path);
    let found = await this.#find(join(this.#root, relative));
    // A slash at the end names a folder.
    if (found?.kind === 'file' && exchange.path.endsWith('/')) found = undefined;
    if (found?.kind === 'directory') {
      // Relative links in the page would miss a level.
      if (!exchange.path.endsWith('/')) return redirectToSlash(exchange);
      const index = await this.#find(join(found.path, this.#config.index));
      if (index?.kind === 'file') found = index;
      else if (this.#config.directoryListing) return this.#list(found.path, exchange);
      else found = undefined;
    }
    if (found === undefined && this.#config.fallback !== undefined) {
      found = await this.#find(join(this.#root, this.#config.fallback));
    }
    return found?.kind === 'file' ? this.#send(found.path, found.stats, exchange) : notFound(exchange.path);
  }

  async #find(path: string): Promise<Found | undefined> {
    try {
      const real = await realpath(path);
      this.#realRoot ??= await realpath(this.#root);
      if (real !== this.#realRoot && !real.startsWith(this.#realRoot + sep)) return undefined;
      const stats = await stat(real);
      if (stats.isDirectory()) return { kind: 'directory', path: real };
      if (!stats.isFile()) return undefined;
      await access(real, constants.R_OK);
      return { kind: 'file', path: real, stats };
    } catch (caught) {
      if (isOutOfReach(caught)) return undefined;
      throw caught;
    }
  }

  async #send(path: string, stats: Stats, exchange: Exchange): Promise<LocalAnswer | GatewayFailure> {
    const { cacheControl, compress } = this.#config;
    const type = mediaType(extname(path));
    const { requestHeaders } = exchange;
    const range = fieldValue(requestHeaders, 'range');
    const mayCompress = compress && type.compressible && stats.size >= minCompressedBytes;
    const gzipped = mayCompress && range === undefined && stats.size <= maxCompressedBytes && takesGzip(requestHeaders);
    const etag = `"${stats.size.toString(36)}-${Math.trunc(stats.mtimeMs).toString(36)}${gzipped ? '-gz' : ''}"`;
    const headers = ['ETag', etag, 'Last-Modified', stats.mtime.toUTCString(), 'Cache-Control', cacheControl];
    if (mayCompress) headers.push('Vary', 'Accept-Encoding');
    if (isUnchanged(requestHeaders, etag, stats)) return { status: 304, headers, body: '' };
    headers.push('Content-Type', type.name, 'X-Content-Type-Options', 'nosniff', 'Accept-Ranges', 'bytes');
    if (gzipped) {
      headers.push('Content-Encoding', 'gzip');
      return { status: 200, headers, body: await this.#gzip(path, etag) };
    }
    const wanted = rangeApplies(requestHeaders, etag, stats) ? range : undefined;
    const part = wanted === undefined ? undefined : parseRange(wanted, stats.size);
    if (part === 'unsatisfiable') {
      return { status: 416, headers: ['Content-Range', `bytes */${stats.size}`], body: '' };
    }
    if (part !== undefined) {
      headers.push('Content-Range', `bytes ${part.start}-${part.end}/${stats.size}`);
      const body = await opened(path, part.start, part.end);
      if (body === undefined) return notFound(exchange.path);
      return { status: 206, headers, body, bodyBytes: part.end - part.start + 1 };
    }
    if (stats.size === 0) return { status: 200, headers, body: '' };
    const body = await opened(path, 0, stats.size - 1);
    return body === undefined ? notFound(exchange.path) : { status: 200, headers, body, bodyBytes: stats.size };
  }

  async #gzip(path: string, etag: string): Promise<Buffer> {
    const key = `${path} ${etag}`;
    const known = this.#compressed.get(key);
    if (known !== undefined) return known;
    const bytes = await compressGzip(await readFile(path));
    if (this.#compressed.size >= maxCacheEntries) this.#compressed.clear();
    this.#compressed.set(key, bytes);
    return bytes;
  }

  async #list(path: string, exchange: Exchange): Promise<LocalAnswer | GatewayFailure> {
    let entries;
    try {
      entries = await readdir(path, { withFileTypes: true });
    } catch (caught) {
      return { ...notFound(exchange.path), message: `cannot list ${path}: ${errorMessage(caught)}` };
    }
    const names = entries
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .toSorted();
    const headers = ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-cache'];
    return { status: 200, headers, body: directoryPage(exchange.path, names) };
  }
}

/**
 * A part of a file, `end` included: fixed now, for a file that grows meanwhile must not exceed what the head declares. It is open
 * already, since what failed to open later, before anybody reads, would have nobody to tell. Undefined when it is gone.
 */
async function opened(path: string, start: number, end: number): Promise<ReadStream | undefined> {
  try {
    const file = await open(path);
    return file.createReadStream({ start, end });
  } catch (caught) {
    if (isOutOfReach(caught)) return undefined;
    throw caught;
  }
}

/** Whether there is no such file, for the gateway at least. */
function isOutOfReach(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'ENAMETOOLONG' || code === 'ELOOP';
}

/** The path below the root that a request names: what follows the route's prefix, decoded. Undefined when it names none. */
function relativePath({ path, matchedPrefix }: Exchange): string | undefined {
  const below = path.startsWith(matchedPrefix) ? path.slice(matchedPrefix.length) : path;
  let decoded: string;
  try {
    decoded = decodeURIComponent(below);
  } catch {
    return undefined; // Not a percent-encoding of UTF-8: no file has such a name.
  }
  if (decoded.includes('\0') || decoded.includes('\\')) return undefined;
  const segments = decoded.split('/').filter((segment) => segment !== '' && segment !== '.');
  // Hidden files are not meant to be seen, and nothing above is.
  if (segments.some((segment) => segment.startsWith('.') && segment !== '.well-known')) return undefined;
  return segments.join('/');
}

function notFound(path: string): GatewayFailure {
  return { status: 404, type: 'NotFound', reason: 'no_file', message: `no file for ${basename(path)}` };
}

function methodNotAllowed(): LocalAnswer {
  return { status: 405, headers: ['Allow', 'GET, HEAD', 'Content-Type', 'text/plain'], body: 'Method not allowed' };
}

function redirectToSlash(exchange: Exchange): LocalAnswer {
  // Two slashes in front would name a host.
  const path = exchange.path.replace(/^\/+/, '/');
  const query = exchange.query === '' ? '' : `?${exchange.query}`;
  return { status: 301, headers: ['Location', `${path}/${query}`], body: '' };
}

function takesGzip(headers: readonly string[]): boolean {
  const accepted = fieldValue(headers, 'accept-encoding');
  return accepted !== undefined && /(?:^|,)\s*(?:gzip|x-gzip)\s*(?:,|$|;\s*q=(?:1|0?\.[0-9]*[1-9]))/i.test(accepted);
}

/** Conditional requests (RFC 9110 section 13): an entity tag counts more than a date. */
function isUnchanged(headers: readonly string[], etag: string, stats: Stats): boolean {
  const noneMatch = fieldValue(headers, 'if-none-match');
  if (noneMatch !== undefined) {
    return noneMatch === '*' || noneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  }
  const since = fieldValue(headers, 'if-modified-since');
  return since !== undefined && Math.trunc(stats.mtimeMs / 1000) * 1000 <= Date.parse(since);
}

/** `If-Range` names the state of which a part is wanted; of another state everything is sent. */
function rangeApplies(headers: readonly string[], etag: string, stats: Stats): boolean {
  const condition = fieldValue(headers, 'if-range');
  if (condition === undefined) return true;
  return condition.startsWith('"')
    ? condition === etag
    : Date.parse(condition) >= Math.trunc(stats.mtimeMs / 1000) * 1000;
}
