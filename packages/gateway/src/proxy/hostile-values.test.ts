// Values that come from agents, configurations and HTTP/2 are text of any kind. Heads are written one byte a character: a
// character that is, or would thereby become, a line end must never get there.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotingSocket } from '../../test/http1/noting-socket.ts';
import type { HeaderOperation } from '../agents/index.ts';
import { Http1Downstream } from './downstream/http1-downstream.ts';
import { Exchange } from './exchange.ts';
import type { ClientConnection } from './exchange.ts';
import { upstreamMessage } from './flow/upstream-message.ts';
import type { MessageSource } from './flow/upstream-message.ts';
import type { RoutePlan } from './flow/route-plan.ts';
import { MessageWriter } from './http1/message-writer.ts';
import { RequestHead, readRequestHead } from './http1/request-head.ts';
import { ResponseHeadRead, readResponseHead } from './http1/response-head.ts';
import type { Http1Connection } from './server/http1-connection.ts';
import { GatewayError } from '../errors.ts';

/** Text with a good chance of what must not pass. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        '\u010a',
        '\u010d',
        '\u0a0d',
        '\u{1f60a}',
        '\ud800',
        ' ',
        '\t',
        ':',
        '\xe9',
      ),
      { weight: 3, arbitrary: fc.stringMatching(/^[ -~]{0,8}$/) },
    ),
    { maxLength: 3 },
  )
  .map((parts) => parts.join(''));
const name = fc.oneof({ weight: 2, arbitrary: fc.constantFrom('X-A', 'Accept', 'x-b') }, hostile);
const fields = fc.array(fc.tuple(name, hostile), { maxLength: 4 }).map((pairs) => pairs.flat());

const client: ClientConnection = {
  listenerId: 'l',
  clientIp: '192.0.2.1',
  clientPort: 1,
  localPort: 2,
  requests: 1,
  closing: false,
};

/** What `write` returns; undefined when it fails with `invalid_field`, which is right if anything is wrong. */
function unlessRefused<T>(write: () => T): T | undefined {
  try {
    return write();
  } catch (caught) {
    expect(caught).toBeInstanceOf(GatewayError);
    expect(caught).toMatchObject({ code: 'invalid_field' });
    return undefined;
  }
}

/** Fields as a reader sees them: without whitespace around values. */
function asRead(written: readonly string[]): string[] {
  return written.map((text, at) => (at % 2 === 0 ? text : text.replaceAll(/^[ \t]+|[ \t]+$/g, '')));
}

describe('a response head', () => {
  it('has exactly the fields it was given, or is not written', () => {
    let written = 0;
    fc.assert(
      fc.property(fields, fc.constantFrom('1.0', '1.1'), (headers, version) => {
        const socket = new NotingSocket();
        const connection = { client: { ...client }, writer: new MessageWriter(socket.asSocket), bodyEnded: true };
        const head = new RequestHead();
        readRequestHead(`GET / HTTP/${version}\r\n\r\n`, head);
        const downstream = new Http1Downstream(connection as unknown as Http1Connection, head);
        const response = { status: 200, lines: '', headers, contentLength: 0, dated: true, checked: false };
        connection.writer.cork();
        if (unlessRefused(() => (downstream.sendHead(response, { close: true, bodiless: false }), true)) !== true) {
          connection.writer.uncork();
          expect(socket.text).toBe('');
          return;
        }
        connection.writer.uncork();
        const read = new ResponseHeadRead();
        // Fields that contradict the framing are another matter.
        if (readResponseHead(socket.text, read) !== true) throw new Error(`no head: ${JSON.stringify(socket.text)}`);
        expect(read.received.all).toEqual([...asRead(headers), 'Connection', 'close']);
        expect(read.end).toBe(socket.text.length);
        written++;
      }),
      { numRuns: 3000 },
    );
    expect(written).toBeGreaterThan(100);
  });
});

/** A request as it goes upstream. */
function message(parts: {
  readonly received?: readonly string[];
  readonly edited?: readonly string[];
  readonly operations?: readonly HeaderOperation[];
  readonly rewrite?: RoutePlan['rewrite'];
  readonly version?: '1.1' | '2.0';
}): string {
  const { received = [], edited, operations = [], rewrite, version = '2.0' } = parts;
  const exchange = new Exchange(client, 0, 0);
  Object.assign(exchange, { method: 'GET', path: '/', httpVersion: version, authority: 'a', correlationId: 'id' });
  exchange.requestHeaders = received;
  const source = {
    exchange,
    downstream: { received: undefined, wantsUpgrade: false },
    generation: { traceStarter: undefined },
    body: undefined,
    declared: { hasBody: false, contentLength: -1 },
    requestOperations: operations,
  } as unknown as MessageSource;
  const plan = {
    rewrite,
    editRequest: edited === undefined ? undefined : (headers: string[]) => [...headers, ...edited],
  } as unknown as RoutePlan;
  return `${upstreamMessage(source, plan).head}\r\n`;
}

/** Reads a request as the backend would; fails unless it is one head and nothing else. */
function readBack(text: string): RequestHead {
  const bytes = Buffer.from(text, 'latin1').toString('latin1');
  const head = new RequestHead();
  if (readRequestHead(bytes, head) !== true) throw new Error(`no head: ${JSON.stringify(bytes)}`);
  expect(head.end).toBe(bytes.length);
  return head;
}

const own = (fields: readonly string[]): string[] => {
  // Between Host and what the gateway adds.
  const from = fields.indexOf('X-Correlation-Id');
  return fields.slice(2, from);
};

describe('a request head', () => {
  it('has exactly the fields of an HTTP/2 request, or is not written', () => {
    const plain = fields.filter((list) =>
      list.every((text, at) => at % 2 === 1 || /^(?:X-A|Accept|x-b)$/.test(text) || /[^!-~]/.test(text)),
    );
    fc.assert(
      fc.property(plain, (received) => {
        const text = unlessRefused(() => message({ received }));
        if (text !== undefined) expect(own(readBack(text).fields)).toEqual(asRead(received));
      }),
      { numRuns: 3000 },
    );
  });

  it('has exactly the fields that edits add, or is not written', () => {
    fc.assert(
      fc.property(fields, (edited) => {
        const text = unlessRefused(() => message({ edited, version: '1.1' }));
        if (text !== undefined) expect(readBack(text).fields.slice(-edited.length || Infinity)).toEqual(asRead(edited));
      }),
      { numRuns: 3000 },
    );
  });

  it('has exactly the fields that agents add, or is not written', () => {
    fc.assert(
      fc.property(name, hostile, (field, value) => {
        const text = unlessRefused(() =>
          message({ operations: [{ kind: 'add', name: field, value }], version: '1.1' }),
        );
        if (text !== undefined) expect(readBack(text).fields.slice(-2)).toEqual(asRead([field, value]));
      }),
      { numRuns: 3000 },
    );
  });

  it('has the host and the path of a rewrite, or is not written', () => {
    fc.assert(
      fc.property(hostile, hostile, (hostname, path) => {
        const rewrite = { hostname, path: { kind: 'full', path: `/${path}` } } as unknown as NonNullable<
          RoutePlan['rewrite']
        >;
        const text = unlessRefused(() => message({ rewrite, version: '1.1' }));
        if (text === undefined) return;
        const head = readBack(text);
        expect(head.target).toBe(`/${path}`);
        expect(head.fields.slice(0, 2)).toEqual(asRead(['Host', hostname]));
      }),
      { numRuns: 3000 },
    );
  });
});
