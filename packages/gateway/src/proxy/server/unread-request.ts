import type { Socket } from 'node:net';
import { Exchange } from '../exchange.ts';
import type { BlockReason, ClientConnection } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import type { GatewayContext } from '../flow/gateway-context.ts';
import { newCorrelationId } from '../headers/correlation-id.ts';
import { errorAnswer, statusText } from '../local/answer.ts';

/** How long a client has to read the response before the connection is closed for good. */
const lingerMs = 1000;

/** Answers on a connection whose request could not be read, or will not be, and closes it. There is an exchange all the same. */
export function refuseUnread(
  socket: Socket,
  connection: ClientConnection,
  context: GatewayContext,
  failure: GatewayFailure,
): void {
  const { observer, generation } = context;
  connection.closing = true;
  const exchange = new Exchange(connection, performance.now(), Date.now());
  exchange.correlationId = newCorrelationId(generation.correlationIdFormat, exchange.startUnixMs);
  generation.traceStarter?.startRequest(exchange);
  exchange.status = failure.status;
  exchange.failure = failure;
  exchange.blocked = blockReason(failure);
  observer.requestStarted(exchange);
  const { headers, body: text } = errorAnswer(exchange, failure);
  let head = `HTTP/1.1 ${statusText(failure.status)}\r\nDate: ${new Date().toUTCString()}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  head += `X-Correlation-Id: ${exchange.correlationId}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
  exchange.responseBodyBytes = Buffer.byteLength(text);
  socket.end(`${head}Connection: close\r\n\r\n${text}`);
  // Closed at once, with bytes unread, the connection would be reset before the client has read the response.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(timer));
  exchange.endMs = performance.now();
  observer.requestEnded(exchange);
}

function blockReason({ reason }: GatewayFailure): BlockReason {
  if (reason === 'header_size') return 'header_size_exceeded';
  return reason === 'connection_limit' ? 'connection_limit' : 'malformed_request';
}
