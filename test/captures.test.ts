// Bytes that real OpenTelemetry SDKs sent, each replayed by the protocol it was captured from: every value in them must come
// out of Jaeger's query API again.
import { readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { apiPaths } from '@clew/api';
import type { SpanDetailsAnswer } from '@clew/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { callWithFrames } from './support/grpc.ts';
import { awaitTrace, findTrace } from './support/jaeger.ts';
import { expectedDetails, shownDetails } from './support/otlp-as-details.ts';
import { expectedSpans, factsOf } from './support/otlp-as-jaeger.ts';
import type { OtlpTraces } from './support/otlp-json.ts';
import { settled } from './support/clew.ts';

const folder = new URL('captures/', import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -4));

interface Capture {
  readonly request: {
    readonly transport: 'http' | 'grpc';
    readonly path?: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly decoded: OtlpTraces | { readonly message: OtlpTraces };
}

function read(name: string) {
  const capture = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Capture;
  const content = 'message' in capture.decoded ? capture.decoded.message : capture.decoded;
  return { ...capture, content, bytes: readFileSync(new URL(`${name}.bin`, folder)) };
}

describe('captures of real clients', () => {
  let clew: LaunchedClew;

  beforeAll(async () => {
    clew = await launchClew();
  });
  afterAll(() => clew.close());

  it('are all here', () => {
    expect(names.length).toBeGreaterThanOrEqual(7);
    expect(names.some((name) => read(name).request.transport === 'grpc')).toBe(true);
  });

  describe.each(names)('%s', (name) => {
    const { request: sent, content, bytes } = read(name);

    it('is accepted by the protocol it was captured from', async () => {
      if (sent.transport === 'grpc') {
        const { headers } = sent;
        const own = Object.fromEntries(Object.entries(headers).filter(([key]) => !key.startsWith(':')));
        const { grpcStatus, grpcMessage } = await callWithFrames(clew.ports.grpc, bytes, own);
        expect([grpcStatus, grpcMessage ?? '']).toEqual(['0', '']);
        return;
      }
      expect(await post(clew.ports.http, sent.path ?? '', sent.headers, bytes)).toBe(200);
    });

    it('comes out of the trace by id with every value it carried, at once and after it was stored', async () => {
      const wanted = expectedSpans(content);
      expect(wanted.length).toBeGreaterThan(0);
      for (const moment of ['acknowledged', 'stored']) {
        if (moment === 'stored') await settled(clew);
        for (const span of wanted) {
          const trace = await awaitTrace(clew, span.traceId);
          const found = trace.spans.filter(({ spanID }) => spanID === span.spanId);
          expect(
            found.map((one) => factsOf(trace, one)),
            moment,
          ).toEqual([span]);
        }
      }
    });

    it('shows in the Clew API what Jaeger has no place for: nanoseconds, types, flags, link attributes, dropped counts', async () => {
      for (const [traceId, ids] of idsByTrace(content)) {
        const path = `${apiPaths.traceSpans(traceId)}?ids=${ids.join(',')}`;
        const answer = (await (await fetch(clew.queryUrl + path)).json()) as SpanDetailsAnswer;
        expect(answer.notFound).toEqual([]);
        const wanted = expectedDetails(content);
        for (const id of ids) expect(shownDetails(answer, id)).toEqual(wanted.get(id));
      }
    });
  });

  it('do not make traces appear that nobody sent', async () => {
    expect(await findTrace(clew, 'ffffffffffffffffffffffffffffffff')).toBeUndefined();
  });
});

function idsByTrace(request: OtlpTraces): ReadonlyMap<string, readonly string[]> {
  const spans = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((group) => group.spans));
  const grouped = Map.groupBy(spans, (span) => span.traceId);
  return new Map([...grouped].map(([traceId, group]) => [traceId, group.map((span) => span.spanId)]));
}

/** Plain node:http, so that the captured headers go out as they were. */
function post(port: number, path: string, headers: Readonly<Record<string, string>>, body: Uint8Array) {
  return new Promise<number | undefined>((resolve, reject) => {
    const call = request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      headers: { ...headers, Connection: 'close' },
    });
    call.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode)));
    call.on('error', reject);
    call.end(body);
  });
}
