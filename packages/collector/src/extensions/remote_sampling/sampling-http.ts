import { errorMessage } from '@clew/base';
import { textReply } from '@clew/net';
import type { HttpHandler, HttpReply, ServerRequest } from '@clew/net';
import { encodeSamplingStrategyJson } from '@clew/wire/jaeger';
import type { SamplingStrategy } from '@clew/wire/jaeger';
import type { SamplingEvents, SamplingTransport } from './telemetry.ts';

/** Gets the strategy for a service, from this thread or another. What it rejects with is told to the client. */
export type AskStrategy = (
  service: string,
  transport: SamplingTransport,
  signal: AbortSignal,
) => Promise<SamplingStrategy>;

/** Why a service may not ask in this name; undefined when it may. */
export type NameProblem = (service: string) => string | undefined;

/** What requests over HTTP are answered with. */
export interface SamplingHttpOptions {
  readonly ask: AskStrategy;
  readonly nameProblem: NameProblem;
  readonly events: SamplingEvents;
  /** Answers `GET /` of those who do not ask for a strategy but whether somebody is there. */
  readonly health?: () => HttpReply;
}

const json = Object.freeze({ 'content-type': 'application/json' });
const allow = 'GET, HEAD, OPTIONS';

/** Where strategies are answered beside the paths of others. */
export const sharedPaths = ['/sampling', '/api/sampling', '/'] as const;

/**
 * Answers `?service=NAME` on whatever path it is mounted, as Jaeger's agents and collectors do
 * (https://www.jaegertracing.io/docs/latest/apis/#remote-sampling-configuration-stable). On exactly `/` the answer has the numeric form of
 * the first clients, for nobody else asks there. `/baggageRestrictions` restricts nothing.
 */
export function samplingHandler(options: SamplingHttpOptions): HttpHandler {
  return (request) => {
    if (request.method === 'OPTIONS') return { status: 204, headers: { allow } };
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const reason = `${request.method} is not possible here: GET is expected`;
      options.events.requested('http', 'refused', reason);
      return textReply(405, reason, { allow });
    }
    if (request.path === '/baggageRestrictions') return { status: 200, headers: json, body: '[]' };
    return answer(request, options);
  };
}

function answer(request: ServerRequest, options: SamplingHttpOptions): HttpReply | Promise<HttpReply> {
  const [service, ...others] = new URLSearchParams(request.query).getAll('service');
  if (service === undefined && request.path === '/' && options.health) return options.health();
  if (service === undefined || others.length > 0) {
    const reason = "'service' parameter must be provided once";
    options.events.requested('http', 'refused', reason);
    return textReply(400, reason);
  }
  const problem = options.nameProblem(service);
  if (problem !== undefined) {
    options.events.requested('http', 'refused', problem);
    return textReply(400, problem);
  }
  return strategyReply(service, request, options);
}

async function strategyReply(
  service: string,
  { path, signal }: ServerRequest,
  { ask, events }: SamplingHttpOptions,
): Promise<HttpReply> {
  try {
    const strategy = await ask(service, 'http', signal);
    events.requested('http', 'served');
    const form = path === '/' ? 'numeric' : 'string';
    return { status: 200, headers: json, body: encodeSamplingStrategyJson(strategy, form) };
  } catch (caught) {
    const reason = errorMessage(caught);
    events.requested('http', 'failed', reason);
    return textReply(500, `collector error: ${reason}`);
  }
}
