import { createGzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';

const gzipAsync = promisify(gzip);

/** Answers smaller than this are sent as they are: compressing them saves no packet. */
const minBytes = 2048;

/** Compresses JSON and text answers when the client accepts it. */
export function compressAnswers(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const type = String(reply.getHeader('content-type') ?? '');
    if (!/^(application\/json|text\/plain|text\/html)/.test(type) || reply.hasHeader('content-encoding'))
      return payload;
    if (!String(request.headers['accept-encoding'] ?? '').includes('gzip')) return payload;
    if (payload instanceof Readable) {
      void reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding').removeHeader('content-length');
      return payload.pipe(createGzip({ level: 1 }));
    }
    if (typeof payload !== 'string' || payload.length < minBytes) return payload;
    void reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding').removeHeader('content-length');
    return gzipAsync(payload, { level: 1 });
  });
}
