import type { Readable } from 'node:stream';
import type { Downstream } from '../downstream/downstream.ts';
import type { Exchange } from '../exchange.ts';
import { countBodyBytes } from '../body-garbage.ts';
import { discardAnswer } from './answer.ts';
import type { LocalAnswer } from './answer.ts';

/** Whether a response has no body, whatever its head says (RFC 9110 section 6.4.1). */
export function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/** How long an answer's body is; undefined when only its end will tell. */
export function bodyBytesOf({ body, bodyBytes }: LocalAnswer): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return Buffer.isBuffer(body) ? body.length : bodyBytes;
}

/** Sends a response of the gateway's own; `onBroken` is told when it cannot be finished. */
export function sendAnswer(
  downstream: Downstream,
  exchange: Exchange,
  answer: LocalAnswer,
  onBroken: (error: unknown) => void,
): void {
  const { status, body } = answer;
  const bodiless = isBodiless(exchange.method, status);
  const bytes = bodyBytesOf(answer);
  const headers = [...answer.headers];
  if (bytes !== undefined && status !== 204 && status !== 304) headers.push('Content-Length', String(bytes));
  try {
    const head = { status, lines: '', headers, contentLength: bytes ?? -1, dated: false, checked: false };
    downstream.sendHead(head, { close: answer.close === true, bodiless });
  } catch (caught) {
    discardAnswer(answer);
    onBroken(caught);
    return;
  }
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    if (!bodiless && bytes! > 0) {
      exchange.responseBodyBytes += bytes!;
      downstream.write(body);
    }
    downstream.end();
    return;
  }
  if (bodiless) {
    body.destroy();
    downstream.end();
    return;
  }
  pump(downstream, exchange, body).then(() => downstream.end(), onBroken);
}

/** Passes a stream on, as fast as the client takes it. */
async function pump(downstream: Downstream, exchange: Exchange, body: Readable): Promise<void> {
  for await (const chunk of body as AsyncIterable<Buffer>) {
    exchange.responseBodyBytes += chunk.length;
    countBodyBytes(chunk.length);
    if (!downstream.write(chunk)) await downstream.drained();
    if (downstream.closed) return;
  }
}
