// The same bytes of an upstream, read by the gateway's connection and by llhttp, which is what `node:http` reads with.
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ReceivedFields } from '../../src/proxy/http1/fields.ts';
import { UpstreamConnection } from '../../src/proxy/upstream/upstream-connection.ts';
import type { CallHandler, ConnectionOwner, WireRequest } from '../../src/proxy/upstream/upstream-connection.ts';
import type { MessageReading, StreamReading } from './reading.ts';
import { Wire } from './wire.ts';
import type { GatewayError } from '../../src/errors.ts';

/** Bytes of an upstream: what comes, and whether it closes its side then. */
export interface ResponseBytes {
  readonly method: string;
  readonly pieces: readonly Buffer[];
  readonly closed: boolean;
}

/** A reading under way; it is complete a turn of the event loop later. */
export interface BegunReading {
  readonly reading: StreamReading;
  end(): void;
}

function interim(status: number, fields: readonly string[]): MessageReading {
  return { start: String(status), fields, body: '', trailers: [], complete: true, keepAlive: true };
}

function final(status: number, fields: readonly string[]): MessageReading {
  return { start: String(status), fields, body: '', trailers: [], complete: false, keepAlive: false };
}

/** Notes what a connection reports of one request. */
class NotingCall implements CallHandler {
  readonly request: WireRequest;
  readonly reading: StreamReading;
  free = false;

  constructor(method: string, reading: StreamReading) {
    this.request = { method, head: `${method} / HTTP/1.1\r\n\r\n`, body: undefined, chunked: false, upgrade: false };
    this.reading = reading;
  }

  onReadBegin(): void {}
  onReadEnd(): void {}
  onInterim(status: number, received: ReceivedFields): void {
    this.reading.messages.push(interim(status, received.all));
  }
  onResponseHead(status: number, received: ReceivedFields): void {
    this.reading.messages.push(final(status, received.all));
  }
  onResponseText(body: string): void {
    this.onResponseData(Buffer.from(body, 'latin1'));
  }

  onResponseData(piece: Buffer): void {
    this.reading.messages.at(-1)!.body += piece.toString('latin1');
  }
  onResponseEnd(trailers: readonly string[]): void {
    Object.assign(this.reading.messages.at(-1)!, { complete: true, trailers, keepAlive: this.free });
  }
  onUpgraded(): void {
    this.reading.problem = 'upgraded';
  }
  onFailed(error: GatewayError): void {
    this.reading.problem = error.message.replace(/^.*failed: /, '');
  }
}

/** Reads a response as the gateway does. */
export function beginOurResponse({ method, pieces, closed }: ResponseBytes): BegunReading {
  const wire = new Wire();
  const reading: StreamReading = { messages: [], problem: '' };
  const call = new NotingCall(method, reading);
  const owner: ConnectionOwner = {
    name: 'test',
    readTimeoutMs: 0,
    maxHeadBytes: 65536,
    onFree: () => (call.free = true),
    onLost() {},
  };
  const connection = new UpstreamConnection(wire as unknown as Socket, owner);
  connection.open();
  connection.run(call, performance.now());
  feed(wire, pieces, closed);
  return { reading, end: () => void wire.destroy() };
}

class WireAgent extends Agent {
  next = new Wire();

  constructor() {
    super({ keepAlive: true });
  }

  override createConnection(): Socket {
    return this.next as unknown as Socket;
  }
}

/** Reads a response with llhttp, in its strict mode. */
export function beginLlhttpResponse({ method, pieces, closed }: ResponseBytes): BegunReading {
  const agent = new WireAgent();
  const wire = agent.next;
  const reading: StreamReading = { messages: [], problem: '' };
  const request = httpRequest({ agent, method, maxHeaderSize: 1 << 20, insecureHTTPParser: false });
  request.on('error', (error: NodeJS.ErrnoException) => (reading.problem ||= error.code ?? error.message));
  request.on('information', ({ statusCode, rawHeaders }: { statusCode: number; rawHeaders: string[] }) => {
    if (statusCode !== 100) reading.messages.push(interim(statusCode, rawHeaders));
  });
  request.on('response', (response: IncomingMessage) => {
    const message = final(response.statusCode!, response.rawHeaders);
    reading.messages.push(message);
    response.on('data', (chunk: Buffer) => (message.body += chunk.toString('latin1')));
    response.on('error', (error: NodeJS.ErrnoException) => (reading.problem ||= error.code ?? error.message));
    response.on('end', () => {
      message.complete = response.complete;
      message.trailers = response.rawTrailers;
      message.keepAlive = request.shouldKeepAlive;
    });
  });
  request.end();
  feed(wire, pieces, closed);
  return { reading, end: () => void wire.destroy() };
}

/** What comes waits until both sides listen. */
function feed(wire: Wire, pieces: readonly Buffer[], closed: boolean): void {
  process.nextTick(() => {
    // Each reader has bytes of its own: what is read may be moved about.
    for (const piece of pieces) wire.push(Buffer.from(piece));
    if (closed) wire.push(null);
  });
}
