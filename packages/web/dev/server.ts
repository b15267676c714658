import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { contentSecurityPolicy, listWebAssets, renderIndexHtml } from '../src/assets.ts';
import { handleApi } from './fake-api.ts';
import type { FakeApiControls } from './fake-api.ts';

/** A running server of the built page and the fake API. */
export interface FakeServer {
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/** Serves the built page as the real server does, and the fake API. Port 0 picks a free one. */
export async function startFakeServer(options: {
  readonly controls: FakeApiControls;
  readonly distDirectory: string;
  readonly port?: number;
  readonly basePath?: string;
}): Promise<FakeServer> {
  const { controls, distDirectory, basePath = '' } = options;
  const assets = new Map((await listWebAssets(distDirectory)).map((asset) => [`/${asset.path}`, asset]));
  const index = await renderIndexHtml(basePath, distDirectory);
  const serveFile = (path: string, accept: string, response: ServerResponse): boolean => {
    const asset = assets.get(path);
    if (asset === undefined) return false;
    const gzip = accept.includes('gzip') ? asset.encodings.gzip : undefined;
    response.writeHead(200, {
      'content-type': asset.contentType,
      'cache-control': asset.cacheControl,
      etag: asset.etag,
      ...(gzip === undefined ? {} : { 'content-encoding': 'gzip' }),
    });
    createReadStream(gzip ?? asset.file).pipe(response);
    return true;
  };
  const server = createServer((request, response) => {
    if (request.url?.startsWith(basePath) === true) request.url = request.url.slice(basePath.length) || '/';
    handleApi(controls, request, response)
      .then((handled) => {
        if (handled) return;
        const path = new URL(request.url ?? '/', 'http://fake').pathname;
        if (serveFile(path, String(request.headers['accept-encoding'] ?? ''), response)) return;
        response.writeHead(200, {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-cache',
          'content-security-policy': contentSecurityPolicy,
        });
        response.end(index);
      })
      .catch((caught: unknown) => {
        console.error(caught);
        response.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${portOf(server)}`, close: () => closeServer(server) };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fake server has no port');
  return address.port;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
