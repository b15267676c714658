// Whatever bytes an upstream answers to a whole gateway: the client gets the response that was read in them, or sees that there
// is none, or that it is not whole.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Chance, cut } from '../../test/http1/bytes.ts';
import { caseCount, settled } from '../../test/http1/differential.ts';
import { responseStream } from '../../test/http1/message-bytes.ts';
import { plainFields } from '../../test/http1/reading.ts';
import { beginLlhttpResponse, beginOurResponse } from '../../test/http1/response-readings.ts';
import { eventually, startGateway, startTcp } from '../../test/proxy/harness.ts';
import { forwardTrailers } from './headers/trailers.ts';

/** Everything a client gets that asks once. */
async function ask(port: number, method: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let closed = false;
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('error', () => {});
  socket.on('close', () => (closed = true));
  socket.write(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await eventually(() => closed, 'the end of the response');
  return Buffer.concat(pieces);
}

describe('responses through a whole gateway', () => {
  const cases = caseCount(400);
  it(`arrive as they were read, in ${cases} cases`, { timeout: 900_000 }, async () => {
    let answer: readonly Buffer[] = [];
    const port = await startTcp((socket) => {
      socket.once('data', () => {
        for (const piece of answer) socket.write(piece);
        socket.end();
      });
    });
    const gateway = await startGateway(`
      routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
      upstreams { upstream "b" { target "127.0.0.1:${port}" } }`);
    const seen = { whole: 0, cut: 0, failed: 0 };
    for (let seed = 2_000_000; seed < 2_000_000 + cases; seed++) {
      const chance = new Chance(seed);
      const text = responseStream(chance);
      answer = cut(Buffer.from(text, 'latin1'), chance);
      // Not idempotent: what fails is not tried again.
      const method = chance.usually(4, 'POST', ['PATCH']);
      const read = beginOurResponse({ method, pieces: answer, closed: true });
      const got = await ask(gateway.port, method);
      const client = beginLlhttpResponse({ method, pieces: [got], closed: true });
      await settled();
      const final = read.reading.messages.findLast(({ start }) => Number(start) >= 200);
      const response = client.reading.messages.findLast(({ start }) => Number(start) >= 200);
      const context = JSON.stringify({ seed, text, ours: read.reading, got: got.toString('latin1') });
      if (final === undefined) {
        seen.failed++;
        expect([context, response?.start, response?.complete]).toEqual([context, '502', true]);
      } else if (!final.complete) {
        seen.cut++;
        expect([context, response?.complete ?? false]).toEqual([context, false]);
      } else {
        seen.whole++;
        expect([context, response?.complete, response?.start]).toEqual([context, true, final.start]);
        expect([context, response!.body]).toEqual([context, final.body]);
        expect([context, response!.trailers]).toEqual([context, forwardTrailers(final.trailers)]);
        expect([context, plainFields(response!.fields)]).toEqual([context, plainFields(final.fields)]);
      }
      read.end();
      client.end();
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(cases / 50);
    await eventually(() => gateway.recorder.started.length === gateway.recorder.ended.length);
    expect(gateway.server.snapshot().activeRequests).toBe(0);
  });
});
