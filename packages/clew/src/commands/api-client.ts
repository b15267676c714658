import type { ApiErrorBody } from '@clew/api';
import { errorMessage } from '@clew/base';
import type { CommandOption } from '../cli/command.ts';
import { ClewError } from '../errors.ts';

/** Where the query API of a default Clew is. */
const defaultUrl = 'http://127.0.0.1:16686';

/** The option every command has that talks to a running Clew. */
export const urlOption: CommandOption = {
  type: 'string',
  value: 'URL',
  help: `Address of the running Clew (CLEW_URL; default ${defaultUrl}).`,
};

/** The address to talk to, without a trailing slash. */
export function apiUrl(given: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  return (given ?? env['CLEW_URL'] ?? defaultUrl).replace(/\/+$/, '');
}

/** Asks a running Clew for text; refusals are as in {@link requestJson}. */
export async function requestText(url: string, init: RequestInit = {}): Promise<string> {
  const response = await request(url, init);
  const text = await response.text();
  if (response.ok) return text;
  throw refusalOf(url, response.status, text);
}

/** Asks the Clew API for JSON. A refusal becomes a `ClewError` with the server's sentence and hint. */
export async function requestJson<T>(url: string, init: RequestInit = {}): Promise<T> {
  return JSON.parse(await requestText(url, init)) as T;
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (caught) {
    if (init.signal?.aborted) throw caught;
    const cause = caught instanceof Error && caught.cause !== undefined ? caught.cause : caught;
    throw new ClewError(
      'unreachable',
      `no Clew answers at ${new URL(url).origin} (${errorMessage(cause)}); start one with \`clew\`, or give its address with --url`,
    );
  }
}

function refusalOf(url: string, status: number, text: string): ClewError {
  const body = apiError(text);
  const message = body
    ? `${body.message}${body.hint ? ` ${body.hint}` : ''}`
    : `${url} answered ${status}: ${text.slice(0, 200)}`;
  return new ClewError(status === 404 ? 'not_found' : 'unreachable', message);
}

function apiError(text: string): ApiErrorBody | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<ApiErrorBody>;
    return typeof parsed.message === 'string' ? (parsed as ApiErrorBody) : undefined;
  } catch {
    return undefined; // Not Clew's own error body: the caller shows the text as it came.
  }
}
