import { apiPaths, apiPrefix } from '@clew/api';
import type { FastifyInstance } from 'fastify';
import { guarded } from '../server/guard.ts';
import type { Answer } from '../server/guard.ts';
import { keys, operations, services, values } from './catalog.ts';
import { demoState, removeDemo, removeTrace, startDemo } from './demo.ts';
import type { ClewDeps } from './deps.ts';
import { clewDocuments } from './documents.ts';
import { LiveStreams, maxLiveStreams } from './live.ts';
import { sendAnswer, sendError, sendFailure } from './reply.ts';
import { explain, search, series } from './search.ts';
import { statusAnswer } from './status.ts';
import { TraceAnswers } from './traces.ts';

/** The Clew API, which the page, the command line and scripts use. The returned function ends what streams. */
export function clewRoutes(app: FastifyInstance, deps: ClewDeps): () => void {
  const traces = new TraceAnswers(deps);
  const live = new LiveStreams(deps);
  const route = (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    document: keyof typeof clewDocuments,
    answer: Answer,
  ) =>
    app.route({
      method,
      url,
      ...clewDocuments[document],
      handler: (request, reply) => guarded(request, reply, answer, sendFailure),
    });
  const get = (url: string, document: keyof typeof clewDocuments, answer: Answer) =>
    route('GET', url, document, answer);

  get(apiPaths.status, 'status', async (_request, reply, signal) =>
    sendAnswer(reply, await statusAnswer(deps, signal)),
  );
  get(apiPaths.live, 'live', (request, reply) => {
    if (live.size >= maxLiveStreams) {
      return sendError(reply, 'overloaded', `${live.size} live streams are open, the most there may be.`, {
        retryAfterMs: 5_000,
      });
    }
    live.open(request, reply);
    return reply;
  });
  get(apiPaths.services, 'services', (request, reply, signal) => services(deps, request, reply, signal));
  get(apiPaths.operations, 'operations', (request, reply, signal) => operations(deps, request, reply, signal));
  get(apiPaths.keys, 'keys', (request, reply, signal) => keys(deps, request, reply, signal));
  get(apiPaths.values, 'values', (request, reply, signal) => values(deps, request, reply, signal));
  get(apiPaths.search, 'search', (request, reply, signal) => search(deps, request, reply, signal));
  get(apiPaths.searchExplain, 'explain', (request, reply, signal) => explain(deps, request, reply, signal));
  get(apiPaths.series, 'series', (request, reply, signal) => series(deps, request, reply, signal));
  get(`${apiPrefix}/traces/:traceId`, 'trace', (request, reply, signal) => traces.skeleton(request, reply, signal));
  get(`${apiPrefix}/traces/:traceId/spans`, 'spans', (request, reply, signal) => traces.spans(request, reply, signal));
  get(`${apiPrefix}/traces/:traceId/find`, 'find', (request, reply, signal) => traces.find(request, reply, signal));
  route('DELETE', `${apiPrefix}/traces/:traceId`, 'deleteTrace', (request, reply, signal) =>
    removeTrace(deps, request, reply, signal),
  );
  get(apiPaths.demo, 'demo', (_request, reply) => demoState(deps, reply));
  route('POST', apiPaths.demo, 'startDemo', (request, reply) => startDemo(deps, request, reply));
  route('DELETE', apiPaths.demo, 'deleteDemo', (_request, reply, signal) => removeDemo(deps, reply, signal));
  app.get(`${apiPrefix}/openapi.json`, (_request, reply) =>
    sendAnswer(reply, (app as unknown as { swagger(): object }).swagger()),
  );
  return () => live.close();
}
