import { createReadStream } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PageContent, PageFile } from '../extension/program.ts';

/** Serves the page: its files by name, and the document for every other address below the base path. */
export function servePage(app: FastifyInstance, page: PageContent | undefined, basePath: string): void {
  for (const file of page?.files ?? []) {
    app.get(`/${file.path}`, (request, reply) => sendFile(request, reply, file));
  }
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const isPage = request.method === 'GET' && !path.startsWith(`${basePath === '/' ? '' : basePath}/api/`);
    if (!isPage || page === undefined)
      return reply.code(404).type('text/plain; charset=utf-8').send('404 page not found\n');
    return reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .header('content-security-policy', page.contentSecurityPolicy)
      .header('x-content-type-options', 'nosniff')
      .send(await page.index(basePath));
  });
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  void reply.header('etag', file.etag).header('cache-control', file.cacheControl).header('vary', 'accept-encoding');
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
  void reply.type(file.contentType).header('x-content-type-options', 'nosniff');
  const accepted = String(request.headers['accept-encoding'] ?? '');
  for (const encoding of ['br', 'gzip'] as const) {
    const path = file.encodings[encoding];
    if (path !== undefined && accepted.includes(encoding)) {
      return reply.header('content-encoding', encoding).send(createReadStream(path));
    }
  }
  return reply.send(createReadStream(file.file));
}
