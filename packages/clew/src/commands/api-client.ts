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

/** Asks the Clew API for JSON. A refusal becomes a `ClewError` with the server's sentence and hint. */
export async function requestJson<T>(url: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (caught) {
    if (init.signal?.aborted) throw caught;
    const cause =
      caught instanceof Error && caught.cause !== undefined ? errorMessage(caught.cause) : errorMessage(caught);
    throw new ClewError(
      'unreachable',
      `no Clew answers at ${new URL(url).origin} (${cause}); start one with \`clew\`, or give its address with --url`,
    );
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  const body = apiError(text);
  const message = body
    ? `${body.message}${body.hint ? ` ${body.hint}` : ''}`
    : `${url} answered ${response.status}: ${text.slice(0, 200)}`;
  throw new ClewError(response.status === 404 ? 'not_found' : 'unreachable', message);
}

function apiError(text: string): ApiErrorBody | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<ApiErrorBody>;
    return typeof parsed.message === 'string' ? (parsed as ApiErrorBody) : undefined;
  } catch {
    return undefined; // Not Clew's own error body: the caller shows the text as it came.
  }
}
