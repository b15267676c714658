import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { errorMessage } from '@clew/base';
import type { Logger } from '@clew/base';
import { expositionContentType } from '@clew/base/node';
import { findPortHolder } from '@clew/net';
import type { SocketAddress } from '../../config/model/listener.ts';
import type { MetricsConfig } from '../../config/model/observability.ts';

/** What the metrics listener shows. */
export interface MetricsSources {
  /** The Prometheus text. */
  metrics(): Promise<string>;
  /** Whether requests are taken: listeners bound, configuration loaded, not draining. */
  ready(): boolean;
  /** There were too many connections. */
  connectionRefused(): void;
}

/** A scrape or a check takes a moment; connections that do nothing are not kept long. */
const REQUEST_TIMEOUT_MS = 10_000;

const textType = 'text/plain; charset=utf-8';

/**
 * The listener for `/metrics`, `/health` and `/ready`: its own, so that it answers when the gateway's are full. When its address cannot
 * be had, that is said and the gateway goes on without it.
 */
export class MetricsServer {
  #path: string;
  readonly #sources: MetricsSources;
  readonly #logger: Logger;
  readonly #server: Server;

  constructor(settings: Pick<MetricsConfig, 'path' | 'maxConnections'>, sources: MetricsSources, logger: Logger) {
    this.#path = settings.path;
    this.#sources = sources;
    this.#logger = logger;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#logger.error('Metrics could not be written.', { error });
        if (!response.headersSent) response.writeHead(500, { 'content-type': textType });
        response.end('Internal Server Error\n');
      });
    });
    this.#server.maxConnections = settings.maxConnections;
    this.#server.on('drop', () => this.#sources.connectionRefused());
  }

  /** Whether it listens now; a failure has been logged. */
  async start({ host, port }: SocketAddress): Promise<boolean> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(port, host, () => {
          this.#server.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      const holder = await findPortHolder(port);
      this.#logger.error('Metrics cannot be served: their address is not free. Requests are.', {
        address: `${host}:${port}`,
        reason: errorMessage(error),
        ...(holder === undefined ? {} : { holder }),
      });
      return false;
    }
    this.#logger.info('Metrics are served.', { address: `${host}:${this.port}`, path: this.#path });
    return true;
  }

  /** Answers with metrics at this path from now on, on so many connections. */
  change({ path, maxConnections }: Pick<MetricsConfig, 'path' | 'maxConnections'>): void {
    this.#server.maxConnections = maxConnections;
    if (path === this.#path) return;
    this.#path = path;
    this.#logger.info('Metrics are served at another path.', { path });
  }

  /** The bound port; 0 while it does not listen. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Closes, connections included. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/' } = request;
    const path = url.split('?', 1)[0];
    request.resume();
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', 'content-type': textType }).end('Method Not Allowed\n');
      return;
    }
    const { status, type, text } = await this.#page(path ?? '/');
    const body = Buffer.from(text);
    response.writeHead(status, { 'content-type': type, 'content-length': body.length });
    response.end(method === 'HEAD' ? undefined : body);
  }

  async #page(path: string): Promise<{ readonly status: number; readonly type: string; readonly text: string }> {
    if (path === this.#path) return { status: 200, type: expositionContentType, text: await this.#sources.metrics() };
    switch (path) {
      case '/':
        return { status: 200, type: 'text/html; charset=utf-8', text: page(this.#path) };
      case '/health':
        return { status: 200, type: textType, text: 'OK\n' };
      case '/ready': {
        const ready = this.#sources.ready();
        return { status: ready ? 200 : 503, type: textType, text: ready ? 'OK\n' : 'Not Ready\n' };
      }
      default:
        return { status: 404, type: textType, text: 'Not Found\n' };
    }
  }
}

function page(path: string): string {
  const href = path.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!doctype html><html lang="en"><head><title>Clew gateway</title></head><body><h1>Clew gateway</h1><p><a href="${href}">Metrics</a></p></body></html>\n`;
}
