// The same bytes of a client, read by the gateway's readers and by llhttp, which is what `node:http` reads with.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LimitsConfig } from '../../src/config/model/system.ts';
import { checkHead } from '../../src/proxy/downstream/head-check.ts';
import { Http1Downstream } from '../../src/proxy/downstream/http1-downstream.ts';
import { Exchange } from '../../src/proxy/exchange.ts';
import type { ClientConnection } from '../../src/proxy/exchange.ts';
import { BodyDecoder, Framing } from '../../src/proxy/http1/body-decoder.ts';
import { ReadEnd, problemOf } from '../../src/proxy/http1/fields.ts';
import { RequestHead, readRequestHead } from '../../src/proxy/http1/request-head.ts';
import type { Http1Connection } from '../../src/proxy/server/http1-connection.ts';
import { gatewayLimits } from '../../src/proxy/server/limits.ts';
import type { GatewayLimits } from '../../src/proxy/server/limits.ts';
import type { MessageReading, StreamReading } from './reading.ts';
import { Wire } from './wire.ts';

/** Reads requests as a connection of the gateway does, without anything being done about them. */
export class OurRequestReader {
  readonly #limits: GatewayLimits;

  constructor(limits: LimitsConfig) {
    this.#limits = gatewayLimits(limits, 1000);
  }

  read(pieces: readonly Buffer[]): StreamReading {
    const reading: StreamReading = { messages: [], problem: '' };
    const body = new BodyDecoder();
    let message: MessageReading | undefined;
    let held: Buffer = Buffer.alloc(0);
    const onBodyPiece = (piece: Buffer): void => void (message!.body += piece.toString('latin1'));
    for (const piece of pieces) {
      held = Buffer.concat([held, piece]);
      for (;;) {
        if (message === undefined || message.complete) {
          if (held.length === 0 || message?.keepAlive === false) break;
          const head = new RequestHead();
          const outcome = readRequestHead(held.toString('latin1'), head);
          if (outcome === undefined) break;
          const problem = outcome === ReadEnd.BROKEN ? problemOf() : this.#problemOf(head);
          if (problem !== '') return { ...reading, problem };
          held = held.subarray(head.end);
          body.begin(head.coded ? Framing.CHUNKED : Framing.LENGTH, Math.max(head.contentLength, 0));
          message = messageOf(head, body.ended);
          reading.messages.push(message);
        }
        if (!message.complete) {
          held = held.subarray(body.read(held, 0, { onBodyPiece }));
          if (body.problem !== '') return { ...reading, problem: body.problem };
          message.complete = body.ended;
          message.trailers = body.trailers;
          if (!body.ended) break;
        }
      }
    }
    return reading;
  }

  /** Why a head that can be read is not taken; '' when it is. */
  #problemOf(head: RequestHead): string {
    if (head.method === 'CONNECT') return 'connect';
    if (head.expect !== '' && head.expect !== '100-continue') return 'expectation';
    const client: ClientConnection = {
      listenerId: '',
      clientIp: '',
      clientPort: 0,
      localPort: 0,
      requests: 0,
      closing: false,
    };
    const downstream = new Http1Downstream({ client, bodyEnded: false } as Http1Connection, head);
    const checked = checkHead(downstream, new Exchange(client, 0, 0), this.#limits);
    if (!checked.ok) return checked.failure.reason;
    return downstream.wantsUpgrade && checked.body.hasBody ? 'upgrade with body' : '';
  }
}

function messageOf(head: RequestHead, complete: boolean): MessageReading {
  const upgrades = head.upgrade === 'websocket' && head.method === 'GET';
  return {
    start: `${head.method} ${head.target} ${head.version}`,
    fields: [...head.fields],
    body: '',
    trailers: [],
    complete,
    keepAlive: head.keepAlive && !upgrades,
    upgrades,
  };
}

/** Reads requests with llhttp, in its strict mode. */
export class LlhttpRequestReader {
  readonly #readings = new WeakMap<object, StreamReading>();
  readonly #server = createServer({ maxHeaderSize: 1 << 20, requireHostHeader: false, insecureHTTPParser: false });

  constructor() {
    for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
      this.#server.on(event, (request: IncomingMessage, response: ServerResponse) =>
        this.#take(request, response.shouldKeepAlive),
      );
    }
    this.#server.on('connect', (request: IncomingMessage) => this.#take(request, false));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const reading = this.#readings.get(socket)!;
      if (reading.problem === '') reading.problem = error.code ?? error.message;
    });
  }

  /** Reads the bytes of one connection. The reading is complete a turn of the event loop later. */
  begin(pieces: readonly Buffer[]): { readonly reading: StreamReading; end(): void } {
    const wire = new Wire();
    const reading: StreamReading = { messages: [], problem: '' };
    this.#readings.set(wire, reading);
    this.#server.emit('connection', wire);
    for (const piece of pieces) wire.push(piece);
    return { reading, end: () => void wire.destroy() };
  }

  #take(request: IncomingMessage, keepAlive: boolean): void {
    const reading = this.#readings.get(request.socket)!;
    const message: MessageReading = {
      start: `${request.method} ${request.url} ${request.httpVersion}`,
      fields: request.rawHeaders,
      body: '',
      get trailers() {
        return request.rawTrailers;
      },
      get complete() {
        return request.complete;
      },
      keepAlive,
      // Behind what offers an upgrade, node:http reads nothing more, even if nobody takes the offer.
      last: request.headers.upgrade !== undefined && /upgrade/i.test(request.headers.connection ?? ''),
    };
    reading.messages.push(message);
    request.on('data', (chunk: Buffer) => (message.body += chunk.toString('latin1')));
    request.on('error', () => {});
  }
}
