// Whatever bytes a client sends to a whole gateway: the backend gets exactly the requests that were read in them, as HTTP that
// llhttp takes without complaint, and the client gets one response for each.
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Chance, cut } from '../../test/http1/bytes.ts';
import { caseCount } from '../../test/http1/differential.ts';
import { requestStream } from '../../test/http1/message-bytes.ts';
import { plainFields } from '../../test/http1/reading.ts';
import type { MessageReading, StreamReading } from '../../test/http1/reading.ts';
import { OurRequestReader } from '../../test/http1/request-readings.ts';
import { eventually, startBackend, startGateway } from '../../test/proxy/harness.ts';
import { splitRequestTarget } from '../routing/request.ts';
import { forwardTrailers } from './headers/trailers.ts';

/** A request as the backend got it, or should. */
interface Passed {
  readonly line: string;
  readonly body: string;
  readonly fields: readonly string[];
  readonly trailers: readonly string[];
}

function expectedOf(message: MessageReading): Passed {
  const [method, target] = message.start.split(' ') as [string, string];
  const { path, query } = splitRequestTarget(target)!;
  return {
    line: `${method} ${path}${query === '' ? '' : `?${query}`}`,
    body: message.body,
    fields: plainFields(message.fields),
    trailers: forwardTrailers(message.trailers),
  };
}

/** Sends pieces and waits until so many responses have come, or the connection is closed. */
async function exchange(port: number, pieces: readonly Buffer[], responses: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let closed = false;
  socket.setEncoding('latin1');
  socket.on('data', (part: string) => (text += part));
  socket.on('error', () => {});
  socket.on('close', () => (closed = true));
  for (const piece of pieces) {
    socket.write(piece);
    if (pieces.length < 10) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(
    () => closed || (text.match(/HTTP\/1\.1 [2-5]/g)?.length ?? 0) >= responses,
    `${responses} responses`,
  );
  socket.destroy();
  return text;
}

describe('requests through a whole gateway', () => {
  const cases = caseCount(500);
  it(`arrive as they were read, in ${cases} cases`, { timeout: 900_000 }, async () => {
    let got: Passed[] = [];
    const backend = await startBackend((request: IncomingMessage, response) => {
      let body = '';
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.on('end', () => {
        const { method, url, rawHeaders, rawTrailers } = request;
        got.push({ line: `${method} ${url}`, body, fields: plainFields(rawHeaders), trailers: rawTrailers });
        response.end('ok');
      });
    });
    const complaints: string[] = [];
    backend.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      complaints.push(String(error.code));
      socket.destroy();
    });
    const gateway = await startGateway(`
      routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
      upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`);
    const reader = new OurRequestReader(gateway.config.limits);
    let passed = 0;
    for (let seed = 1_000_000; seed < 1_000_000 + cases; seed++) {
      const chance = new Chance(seed);
      const text = requestStream(chance);
      const pieces = cut(Buffer.from(text, 'latin1'), chance);
      const reading: StreamReading = reader.read(pieces);
      // What the gateway answers itself: it does not route `*`, and openings of a WebSocket are forbidden here.
      const complete = reading.messages.filter((message) => message.complete);
      const expected = complete.filter(({ start, upgrades }) => !start.includes(' * ') && upgrades !== true);
      got = [];
      const ended = reading.messages.at(-1)?.keepAlive === false && reading.messages.at(-1)!.complete;
      const answer = await exchange(gateway.port, pieces, complete.length + (reading.problem === '' ? 0 : 1));
      const statuses = [...answer.matchAll(/HTTP\/1\.1 ([2-5]\d\d)/g)].map(([, status]) => Number(status));
      const context = JSON.stringify({ seed, text, statuses });
      await eventually(() => got.length >= expected.length, `the backend's requests of ${context}`);
      expect([context, got]).toEqual([context, expected.map(expectedOf)]);
      if (reading.problem !== '' && !ended) expect([context, statuses.at(-1)! >= 400]).toEqual([context, true]);
      passed += got.length;
    }
    expect(passed).toBeGreaterThan(cases / 10);
    await eventually(() => gateway.recorder.started.length === gateway.recorder.ended.length);
    expect(gateway.server.snapshot().activeRequests).toBe(0);
    const broken = new Set(['ECONNRESET', 'HPE_INVALID_EOF_STATE']);
    expect(complaints.filter((code) => !broken.has(code))).toEqual([]);
  });
});
