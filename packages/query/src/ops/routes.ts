import type { FastifyInstance } from 'fastify';
import type { ProgramView } from '../extension/program.ts';

/** Whether the store answers; the sentence says why not. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason?: string;
}

/** What operators look at: metrics, health, and the inside of the running program. */
export function opsRoutes(app: FastifyInstance, program: ProgramView, readiness: () => Readiness): void {
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await program.metrics();
    return reply.type(contentType).send(body);
  });
  app.get('/healthz', (_request, reply) => reply.send({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const { ready, reason } = readiness();
    if (ready) return reply.send({ status: 'ready' });
    return reply.code(503).header('retry-after', '1').send({ status: 'not ready', reason });
  });
  app.get('/debug', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(index(['config', 'graph', 'metrics'])),
  );
  app.get('/debug/config', (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(program.configuration({ origins: true })),
  );
  app.get('/debug/graph', (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(program.graph() ?? null, plain, 2)),
  );
  app.get('/debug/metrics', async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send((await program.metrics()).body),
  );
}

/** Snapshots are plain data but may hold 64-bit counts. */
export function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function index(pages: readonly string[]): string {
  const links = pages.map((page) => `<li><a href="debug/${page}">${page}</a></li>`).join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Clew inside</title><h1>Clew inside</h1><ul>${links}</ul></html>`;
}
