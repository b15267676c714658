import type { AgentDecision, HeaderField } from '../answer.ts';
import type { AgentTelemetry } from '../telemetry.ts';
import { allowedFields } from './header-operations.ts';
import type { AgentError } from '../errors.ts';

/** A response that is given instead of the upstream's. The proxy adds what every response has. */
export interface LocalResponse {
  readonly status: number;
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

type Refusal = Exclude<AgentDecision, { readonly kind: 'allow' }>;

/** The response to a request an agent did not let pass. */
export function responseOf(decision: Refusal, telemetry: AgentTelemetry): LocalResponse {
  switch (decision.kind) {
    case 'block':
      return blockResponse(decision, telemetry);
    case 'redirect':
      return redirectResponse(decision);
    case 'challenge':
      return challengeResponse(decision);
  }
}

function blockResponse(
  decision: Extract<Refusal, { readonly kind: 'block' }>,
  telemetry: AgentTelemetry,
): LocalResponse {
  const own = allowedFields(decision.headers, telemetry);
  const typed = own.some(([name]) => name.toLowerCase() === 'content-type');
  const headers: readonly HeaderField[] = typed ? own : [['Content-Type', 'text/plain'], ...own];
  return { status: statusOr403(decision.status), headers, body: decision.body ?? 'Blocked by agent' };
}

/** A final status; agents that give none, or one that is not a response's last word, mean "forbidden". */
function statusOr403(status: number | undefined): number {
  return status !== undefined && Number.isInteger(status) && status >= 200 && status <= 599 ? status : 403;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function redirectResponse({ url, status }: Extract<Refusal, { readonly kind: 'redirect' }>): LocalResponse {
  return { status: redirects.has(status) ? status : 302, headers: [['Location', headerSafe(url)]], body: '' };
}

/** Whatever a header field cannot hold is percent-encoded, so that no URL can break out of it. */
function headerSafe(url: string): string {
  return url.toWellFormed().replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));
}

/** Schemes of HTTP authentication (IANA's registry), as they are written. */
const schemes: Readonly<Record<string, string>> = {
  basic: 'Basic',
  bearer: 'Bearer',
  digest: 'Digest',
  dpop: 'DPoP',
  gnap: 'GNAP',
  hoba: 'HOBA',
  mutual: 'Mutual',
  negotiate: 'Negotiate',
  privatetoken: 'PrivateToken',
  'scram-sha-1': 'SCRAM-SHA-1',
  'scram-sha-256': 'SCRAM-SHA-256',
  vapid: 'vapid',
};

function challengeResponse({ challengeType, params }: Extract<Refusal, { readonly kind: 'challenge' }>): LocalResponse {
  const scheme = Object.hasOwn(schemes, challengeType.toLowerCase()) ? schemes[challengeType.toLowerCase()] : undefined;
  if (scheme !== undefined) {
    const value = [scheme, authParams(params)].filter((part) => part !== '').join(' ');
    const headers: readonly HeaderField[] = [
      ['WWW-Authenticate', value],
      ['Content-Type', 'text/plain'],
    ];
    return { status: 401, headers, body: 'Authentication required' };
  }
  const headers: readonly HeaderField[] = [
    ['X-Challenge-Type', headerSafe(challengeType)],
    ['Content-Type', 'application/json'],
  ];
  return { status: 403, headers, body: JSON.stringify(params) };
}

/** Parameters of a challenge as quoted strings (RFC 9110 section 11.2); what cannot be written in one is left out. */
function authParams(params: Readonly<Record<string, string>>): string {
  return Object.entries(params)
    .filter(([name]) => /^[A-Za-z0-9_-]+$/.test(name))
    .map(([name, value]) => `${name}="${value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`)
    .join(', ');
}

/** The response when an agent that must not be left out failed. */
export function failureResponse(error: AgentError): LocalResponse {
  const headers: readonly HeaderField[] = [['Content-Type', 'text/plain']];
  if (error.code === 'timeout') return { status: 504, headers, body: 'Gateway timeout' };
  if (error.code === 'body_too_large') return { status: 413, headers, body: 'Content too large' };
  return { status: 503, headers, body: 'Service unavailable' };
}
