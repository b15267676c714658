// A responder for tests: says about every certificate it is asked about what the test wants, signed by the authority.
import { sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestAuthority } from '@clew/testkit';
import { DerTag, oidContent, readDer, writeDer } from '../../src/proxy/server/ocsp/der.ts';
import { onEnd } from './harness.ts';

/** What a responder does; a test changes it as it goes. */
export interface ResponderScript {
  /** The HTTP status. */
  httpStatus: number;
  certificate: 'good' | 'revoked' | 'unknown';
  /** How long the answer holds, in seconds. */
  validSeconds: number;
  /** Sent instead of an answer. */
  garbage?: Buffer;
}

/** A running responder. */
export interface TestResponder {
  readonly url: string;
  readonly script: ResponderScript;
  /** How often it was asked. */
  readonly asked: () => number;
}

/** Starts a responder on 127.0.0.1; it ends with the test. */
export async function startResponder(authority: TestAuthority): Promise<TestResponder> {
  const script: ResponderScript = { httpStatus: 200, certificate: 'good', validSeconds: 3600 };
  let asked = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked++;
      const { method, headers } = request;
      const fits = method === 'POST' && headers['content-type'] === 'application/ocsp-request';
      response.writeHead(fits ? script.httpStatus : 400, { 'content-type': 'application/ocsp-response' });
      response.end(script.garbage ?? answer(Buffer.concat(parts), script, authority));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onEnd(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, script, asked: () => asked };
}

/** An OCSPResponse (RFC 6960 section 4.2.1) about the first certificate of a request. */
function answer(request: Buffer, { certificate, validSeconds }: ResponderScript, authority: TestAuthority): Buffer {
  const { SEQUENCE, OCTET_STRING, OID, BIT_STRING, ENUMERATED } = DerTag;
  const sequence = (...parts: Uint8Array[]): Buffer => writeDer(SEQUENCE, ...parts);
  const certificateId = readDer(request)!.children[0]!.children[0]!.children[0]!.children[0]!.bytes;
  const now = Date.now();
  const statuses = {
    good: writeDer(0x80),
    revoked: writeDer(0xa1, time(now - 60_000)),
    unknown: writeDer(0x82),
  };
  const until = writeDer(0xa0, time(now + validSeconds * 1000));
  const single = sequence(certificateId, statuses[certificate], time(now), until);
  const responderId = writeDer(0xa2, writeDer(OCTET_STRING, Buffer.alloc(20)));
  const data = sequence(responderId, time(now), sequence(single));
  const algorithm = sequence(writeDer(OID, oidContent('1.2.840.10045.4.3.2')));
  const signature = writeDer(BIT_STRING, Buffer.of(0), sign('sha256', data, authority.key));
  const basic = sequence(data, algorithm, signature);
  const bytes = sequence(writeDer(OID, oidContent('1.3.6.1.5.5.7.48.1.1')), writeDer(OCTET_STRING, basic));
  return sequence(writeDer(ENUMERATED, Buffer.of(0)), writeDer(0xa0, bytes));
}

/** Whole seconds are all that a GeneralizedTime of a certificate has. */
function time(unixMs: number): Buffer {
  const text = new Date(unixMs).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return writeDer(DerTag.GENERALIZED_TIME, Buffer.from(`${text}Z`));
}
