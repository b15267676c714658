// Requests in a hurry: whatever clients and upstreams do, each response belongs to its request, and nothing is left behind.
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Chance } from '../../../test/http1/bytes.ts';
import { eventually, onEnd, startBackend, startGateway } from '../../../test/proxy/harness.ts';

/** Answers in every way there is, after a while or at once, sometimes before the request has ended, sometimes not at all. */
class MoodyBackend {
  readonly problems: string[] = [];
  served = 0;
  readonly #busy = new Set<Socket>();
  readonly #chance = new Chance(7);

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    if (this.#busy.has(socket)) this.problems.push(`${request.url} came while another request was running`);
    this.#busy.add(socket);
    response.on('close', () => this.#busy.delete(socket));
    const early = this.#chance.oneIn(15);
    let body = '';
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    const answer = (): void => {
      if (this.#chance.oneIn(5))
        setTimeout(() => this.#answer(request, response, early ? '' : body), this.#chance.below(15));
      else this.#answer(request, response, early ? '' : body);
    };
    if (early) answer();
    else request.on('end', answer);
  };

  #answer({ url, method, socket }: IncomingMessage, response: ServerResponse, body: string): void {
    this.served++;
    const text = `<${method} ${url} ${body}>`;
    switch (this.#chance.below(12)) {
      case 0:
        socket.destroy();
        break;
      case 1:
        response.writeHead(200, { Connection: 'close' });
        response.end(text);
        break;
      case 2:
        response.writeHead(200, { 'Content-Length': String(text.length + 5) });
        response.write(text, () => socket.destroy());
        break;
      case 3:
      case 4:
        response.write('in two parts ');
        setTimeout(() => response.end(text), this.#chance.below(10));
        break;
      case 5:
        response.writeEarlyHints({ link: '</a>; rel=preload' });
        response.end(text);
        break;
      default:
        response.writeHead(200, { 'Content-Length': String(text.length) });
        response.end(text);
    }
  }
}

/** What clients saw. */
interface Seen {
  answered: number;
  readonly wrong: string[];
}

/** The responses of a connection must be those to its requests, in their order, each with its own body. */
function check(text: string, ids: readonly string[], seen: Seen): void {
  let index = -1;
  for (const [, id, method, path, body] of text.matchAll(/X-Correlation-Id: (\S+)|<(\w+) \/(\S+) ([\w-]*)/g)) {
    if (id !== undefined) {
      index++;
      if (id !== ids[index]) seen.wrong.push(`response ${id} instead of ${ids[index]}`);
    } else {
      seen.answered++;
      const whole = body === '' || body?.startsWith(`${path}-body`);
      if (path !== ids[index] || !whole) seen.wrong.push(`${method} ${path} ${body?.slice(0, 20)} to ${ids[index]}`);
    }
  }
}

/** Sends requests over one connection, ahead of their answers, in pieces that end anywhere; leaves when chance wants it. */
function runClient(port: number, name: string, seed: number, seen: Seen): Promise<void> {
  const chance = new Chance(seed);
  const ids: string[] = [];
  let bytes = '';
  for (let n = 1 + chance.below(6); n > 0; n--) {
    const id = `${name}-${n}`;
    const body = chance.oneIn(2) ? `${id}-body${'x'.repeat(chance.below(3000))}` : undefined;
    const method = body === undefined ? 'GET' : 'POST';
    const last = n === 1 ? 'Connection: close\r\n' : '';
    const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`;
    ids.push(id);
    bytes += `${method} /${id} HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\n${last}${length}\r\n${body ?? ''}`;
  }
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    if (chance.oneIn(4)) setTimeout(() => socket.destroy(), chance.below(30));
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => (text += part));
    socket.on('error', () => {});
    socket.on('close', () => {
      check(text, ids, seen);
      resolve();
    });
    const at = chance.below(bytes.length);
    socket.write(bytes.slice(0, at), 'latin1', () => socket.write(bytes.slice(at), 'latin1'));
  });
}

describe('connections to upstreams', () => {
  it('are never shared by two running requests, and all is free in the end', async () => {
    const moody = new MoodyBackend();
    const server = createServer({ keepAliveTimeout: 60_000 }, moody.handle);
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onEnd(() => {
      server.close();
      server.closeAllConnections();
    });
    const gateway = await startGateway(`
      limits { max-connections-per-client 1000 }
      routes {
        route "r" {
          matches { path-prefix "/" }
          upstream "b"
          retry-policy { max-attempts 2; backoff "1ms"; max-backoff "2ms" }
        }
      }
      upstreams { upstream "b" {
        target "127.0.0.1:${(server.address() as AddressInfo).port}"
        connection-pool { max-connections 8; max-idle 4 }
      } }`);
    const seen: Seen = { answered: 0, wrong: [] };
    const clients = 600;
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < clients) {
        const index = next++;
        await runClient(gateway.port, `c${index}`, index, seen);
      }
    };
    await Promise.all(Array.from({ length: 25 }, lane));
    expect(seen.wrong).toEqual([]);
    expect(moody.problems).toEqual([]);
    expect(seen.answered).toBeGreaterThan(clients / 2);
    const { recorder } = gateway;
    await eventually(() => recorder.started.length === recorder.ended.length, 'the end of every request');
    await eventually(() => recorder.attemptsStarted === recorder.attemptsEnded, 'the end of every attempt');
    await eventually(() => gateway.server.snapshot().openConnections === 0, 'the end of every connection');
    const { activeRequests, upstreams } = gateway.server.snapshot();
    expect(activeRequests).toBe(0);
    // What is kept is idle, and no more than may be kept.
    await eventually(
      () => {
        const {
          activeRequests: active,
          connections,
          idleConnections,
        } = gateway.server.snapshot().upstreams[0]!.targets[0]!;
        return active === 0 && connections === idleConnections && connections <= 4;
      },
      `a pool at rest: ${JSON.stringify(upstreams[0]!.targets)}`,
    );
  });
});

/** Bytes that no other request has. */
function ownBytes(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed * 2654435761;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Sends bytes in pieces of chance's choosing and reads the answer with pauses. */
function echo(port: number, agent: Agent, seed: number): Promise<{ readonly sent: Buffer; readonly got: Buffer }> {
  const chance = new Chance(seed);
  const sent = ownBytes(seed, chance.below(chance.pick([10, 5000, 20_000, 300_000])));
  const fields = chance.oneIn(2) ? { 'Content-Length': String(sent.length) } : { 'Transfer-Encoding': 'chunked' };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, agent, method: 'PUT', headers: fields }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        if (!chance.oneIn(4)) return;
        response.pause();
        setTimeout(() => response.resume(), chance.below(5));
      });
      response.on('end', () => resolve({ sent, got: Buffer.concat(pieces) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    let at = 0;
    const write = (): void => {
      const end = Math.min(at + 1 + chance.below(chance.pick([100, 9000, 100_000])), sent.length);
      if (end > at) request.write(sent.subarray(at, end));
      at = end;
      if (at === sent.length) request.end();
      else if (chance.oneIn(3)) setTimeout(write, chance.below(3));
      else setImmediate(write);
    };
    write();
  });
}

describe('bodies that pass side by side', () => {
  it('keep every byte, whoever is slow', async () => {
    const chance = new Chance(3);
    const backend = await startBackend((request, response) => {
      if (chance.oneIn(2) && request.headers['content-length'] !== undefined) {
        response.writeHead(200, { 'Content-Length': request.headers['content-length'] });
      }
      if (chance.oneIn(3)) setTimeout(() => request.pipe(response), chance.below(10));
      else request.pipe(response);
    });
    const gateway = await startGateway(`
      routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
      upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`);
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    onEnd(() => agent.destroy());
    const echoes = await Promise.all(Array.from({ length: 250 }, (_, seed) => echo(gateway.port, agent, seed)));
    for (const [seed, { sent, got }] of echoes.entries()) expect([seed, sent.equals(got)]).toEqual([seed, true]);
    expect(gateway.recorder.ended.every(({ end }) => end === 'complete')).toBe(true);
  });

  it('keep every byte while their client does not read and others do', async () => {
    const slow = ownBytes(1, 20_000_000);
    const backend = await startBackend((request, response) => {
      if (request.url === '/slow') response.end(slow);
      else response.end(Buffer.alloc(200_000, 'other'));
    });
    const gateway = await startGateway(`
      routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
      upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`);
    const ask = (path: string): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        httpRequest({ host: '127.0.0.1', port: gateway.port, path, agent: false }, resolve).on('error', reject).end();
      });
    const read = async (response: IncomingMessage): Promise<Buffer> => {
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      return Buffer.concat(pieces);
    };
    const waiting = await ask('/slow');
    // What the gateway could not write yet lies there while others pass through the same memory.
    for (let n = 0; n < 20; n++) expect((await read(await ask('/other'))).length).toBe(200_000);
    expect(gateway.recorder.started[0]!.responseBodyBytes).toBeLessThan(slow.length);
    expect((await read(waiting)).equals(slow)).toBe(true);
  });
});
