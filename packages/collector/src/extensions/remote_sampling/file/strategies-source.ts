import { createReadStream } from 'node:fs';
import { errorMessage } from '@clew/base';
import type { Limit } from '@clew/base';
import { HttpClient } from '@clew/net';
import type { HttpClientResponse } from '@clew/net';
import { CollectorError } from '../../../errors.ts';

/** Where the text of a strategies file comes from. */
export interface StrategiesSource {
  /** For messages; without credentials. */
  readonly name: string;
  /** The text as it is now; undefined when there are no strategies at the moment. Rejects with `sampling_unreadable`. */
  read(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Time for a download (https://www.jaegertracing.io/docs/latest/sampling/). */
const downloadTimeoutMs = 1000;
const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/** The source that a path or an `http(s)` address names. `maxBytes` limits the text. */
export function strategiesSource(place: string, maxBytes: Limit): StrategiesSource {
  return /^https?:\/\//i.test(place) ? new UrlSource(place, maxBytes) : new FileSource(place, maxBytes);
}

class FileSource implements StrategiesSource {
  readonly name: string;
  readonly #maxBytes: Limit;

  constructor(path: string, maxBytes: Limit) {
    this.name = path;
    this.#maxBytes = maxBytes;
  }

  async read(): Promise<string> {
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of createReadStream(this.name) as AsyncIterable<Buffer>) {
        size += piece.length;
        this.#maxBytes.check(size);
        pieces.push(piece);
      }
    } catch (cause) {
      throw unreadable(this.name, errorMessage(cause), cause);
    }
    return Buffer.concat(pieces, size).toString('utf8');
  }

  async close(): Promise<void> {}
}

class UrlSource implements StrategiesSource {
  readonly name: string;
  readonly #url: URL;
  readonly #maxBytes: Limit;
  readonly #client = new HttpClient({ connectTimeoutMs: downloadTimeoutMs });

  constructor(url: string, maxBytes: Limit) {
    this.#url = parsedUrl(url);
    this.#maxBytes = maxBytes;
    this.name = withoutCredentials(this.#url);
  }

  async read(): Promise<string | undefined> {
    const { status, body, truncated } = await this.#download();
    // The reference's way to say that there are no strategies now.
    if (status === 503) return undefined;
    if (status !== 200) throw unreadable(this.name, `the server answered ${status}`);
    if (truncated) {
      const { message } = this.#maxBytes.exceeded();
      throw unreadable(this.name, message);
    }
    return new TextDecoder().decode(body);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #download(): Promise<HttpClientResponse> {
    const signal = AbortSignal.timeout(downloadTimeoutMs);
    let url = this.#url;
    try {
      for (let hop = 0; ; hop++) {
        const response = await this.#get(url, signal);
        const { location } = response.headers;
        if (!redirects.has(response.status) || typeof location !== 'string') return response;
        if (hop === maxRedirects) throw new Error(`more than ${maxRedirects} redirections`);
        url = new URL(location, url);
      }
    } catch (cause) {
      throw unreadable(this.name, errorMessage(cause), cause);
    }
  }

  #get(url: URL, signal: AbortSignal): Promise<HttpClientResponse> {
    const { username, password, origin } = url;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      'base64',
    );
    return this.#client.request({
      method: 'GET',
      url: withoutCredentials(url),
      headers: {
        accept: 'application/json',
        // Not sent on to where a redirection of another server leads.
        ...(username === '' || origin !== this.#url.origin ? {} : { authorization: `Basic ${credentials}` }),
      },
      timeoutMs: downloadTimeoutMs,
      signal,
      ...(this.#maxBytes.value === 0
        ? { maxResponseBytes: Number.MAX_SAFE_INTEGER }
        : { maxResponseBytes: this.#maxBytes.value }),
    });
  }
}

function parsedUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed === null) throw unreadable(url, 'it is no address');
  return parsed;
}

function withoutCredentials(url: URL): string {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain.toString();
}

function unreadable(name: string, why: string, cause?: unknown): CollectorError {
  return new CollectorError('sampling_unreadable', `cannot read sampling strategies from ${name}: ${why}`, { cause });
}
