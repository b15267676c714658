import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { connect as tlsConnect } from 'node:tls';
import { silentTelemetry } from '@clew/base';
import type { Logger } from '@clew/base';
import { createAuthority } from '@clew/testkit';
import type { TestAuthority } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import { eventually, freePort, onEnd, proxyConfig, startGateway, startTcp } from '../../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../../test/proxy/harness.ts';
import { startResponder } from '../../../../test/proxy/ocsp-responder.ts';
import { OcspStapler } from './ocsp-stapler.ts';

/** Remembers lines from `warn` on and `info`. */
function listening(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const note =
    (level: string) =>
    (message: string, fields: object = {}): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger: Logger = {
    debug() {},
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    child: () => logger,
  };
  return { logger, lines };
}

/** A certificate with its issuer in one file, as servers want them. */
function chainFile(authority: TestAuthority, ocspUrl: string, name = 'own', withIssuer = true) {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-ocsp-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = authority.issue(name, { ocspUrl });
  const [certFile, keyFile] = [join(folder, 'chain.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, withIssuer ? `${cert}${authority.cert}` : cert);
  writeFileSync(keyFile, key);
  return { certFile, keyFile, cert };
}

const configText = (tls: string): string => `
  listeners { listener "s" { address "127.0.0.1:0"; protocol "https"; tls { ${tls} } } }
  routes { route "r" { matches { path-prefix "/" }; builtin-handler "health" } }`;

/** The response a client is shown with the certificate; null when there is none. */
function stapled(port: number, servername?: string): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const name = servername === undefined ? {} : { servername };
    const socket = tlsConnect({ host: '127.0.0.1', port, requestOCSP: true, rejectUnauthorized: false, ...name });
    socket.on('OCSPResponse', (response: Buffer | null) => {
      resolve(response);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function gatewayFor(tls: string, logger: Logger): Promise<TestGateway> {
  return startGateway(configText(tls), { telemetry: { ...silentTelemetry, logger } });
}

describe('stapling', () => {
  it('shows what the responder says, and does not ask it for each handshake', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    const { certFile, keyFile } = chainFile(authority, responder.url);
    const { logger, lines } = listening();
    const gateway = await gatewayFor(`cert-file "${certFile}"; key-file "${keyFile}"`, logger);
    const first = await eventually(() => stapled(gateway.port), 'a stapled response');
    expect(await stapled(gateway.port, 'localhost')).toEqual(first);
    expect(responder.asked()).toBe(1);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('shows for each name the status of its own certificate, and new ones after a reload', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    const [own, other] = [chainFile(authority, responder.url), chainFile(authority, responder.url, 'other')];
    const text = `cert-file "${own.certFile}"; key-file "${own.keyFile}"
      sni { hostnames "other.test"; cert-file "${other.certFile}"; key-file "${other.keyFile}" }`;
    const gateway = await gatewayFor(text, listening().logger);
    const before = await eventually(() => stapled(gateway.port), 'the response for the own certificate');
    const named = await eventually(() => stapled(gateway.port, 'other.test'), 'the response for the other');
    expect(named.equals(before)).toBe(false);
    const renewed = authority.issue('renewed', { ocspUrl: responder.url });
    writeFileSync(own.certFile, `${renewed.cert}${authority.cert}`);
    writeFileSync(own.keyFile, renewed.key);
    gateway.server.reload(await proxyConfig(configText(text)));
    const after = await eventually(() => stapled(gateway.port), 'the response for the renewed certificate');
    const serial = Buffer.from(new X509Certificate(renewed.cert).serialNumber, 'hex');
    expect([after.includes(serial), before.includes(serial)]).toEqual([true, false]);
    expect(await stapled(gateway.port, 'other.test')).toEqual(named);
    expect(responder.asked()).toBe(3);
  });

  it('holds up no handshake for a responder that does not answer', async () => {
    const authority = createAuthority();
    let asked = 0;
    const port = await startTcp(() => void asked++);
    const { certFile, keyFile } = chainFile(authority, `http://127.0.0.1:${port}/`);
    const gateway = await gatewayFor(`cert-file "${certFile}"; key-file "${keyFile}"`, listening().logger);
    await eventually(() => asked > 0, 'a question');
    expect(await stapled(gateway.port)).toBeNull();
  });

  it('asks nobody when it is switched off', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    const { certFile, keyFile } = chainFile(authority, responder.url);
    const text = `cert-file "${certFile}"; key-file "${keyFile}"; ocsp-stapling #false`;
    const gateway = await gatewayFor(text, listening().logger);
    expect(await stapled(gateway.port)).toBeNull();
    expect(responder.asked()).toBe(0);
  });

  it('says once what the file lacks to ask', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    const { certFile, keyFile } = chainFile(authority, responder.url, 'own', false);
    const { logger, lines } = listening();
    const text = `cert-file "${certFile}"; key-file "${keyFile}"`;
    const gateway = await gatewayFor(text, logger);
    gateway.server.reload(await proxyConfig(configText(text)));
    const warnings = lines.filter((line) => line.startsWith('warn'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('add the certificate of its issuer to the file');
  });
});

describe('following a certificate', () => {
  const follow = (authority: TestAuthority, ocspUrl: string, logger: Logger) => {
    const { certFile, cert } = chainFile(authority, ocspUrl);
    const certificate = new X509Certificate(cert);
    const clock = { aheadMs: 0 };
    const stapler = new OcspStapler({ logger, firstRetryMs: 10, nowUnixMs: () => Date.now() + clock.aheadMs });
    onEnd(() => stapler.stop());
    stapler.update([{ certFile, certificate, others: [new X509Certificate(authority.cert)] }]);
    return { known: () => stapler.stapleFor(certificate.raw), stapler, clock };
  };
  const warnings = (lines: readonly string[]): number => lines.filter((line) => line.startsWith('warn')).length;

  it('warns once of a responder that cannot be reached, and goes on asking', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    responder.script.httpStatus = 500;
    const { logger, lines } = listening();
    const { known } = follow(authority, responder.url, logger);
    await eventually(() => responder.asked() > 3, 'repeated questions');
    expect([known(), warnings(lines)]).toEqual([undefined, 1]);
    expect(lines[0]).toContain('the responder answered with status 500');
    responder.script.httpStatus = 200;
    await eventually(known, 'the status');
    expect(lines.some((line) => line.startsWith('info The status of a certificate is shown again'))).toBe(true);
    expect(warnings(lines)).toBe(1);
  });

  it.each([
    ['garbage', (script: { garbage?: Buffer }) => void (script.garbage = Buffer.from('<html>')), 'is no OCSP response'],
    [
      'too much',
      (script: { garbage?: Buffer }) => void (script.garbage = Buffer.alloc(100_000)),
      'more than 65536 bytes',
    ],
    [
      'unknown',
      (script: { certificate: string }) => void (script.certificate = 'unknown'),
      'the certificate is unknown',
    ],
  ])('shows nothing of %s', async (_what, spoil, reason) => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    spoil(responder.script);
    const { logger, lines } = listening();
    const { known } = follow(authority, responder.url, logger);
    await eventually(() => warnings(lines) === 1, 'a warning');
    expect(lines[0]).toContain(reason);
    expect(known()).toBeUndefined();
  });

  it('names a responder that nobody runs', async () => {
    const { logger, lines } = listening();
    const url = `http://127.0.0.1:${await freePort()}/`;
    follow(createAuthority(), url, logger);
    await eventually(() => warnings(lines) === 1, 'a warning');
    expect(lines[0]).toContain(url);
  });

  it('shows what is known until its time has come, whatever becomes of the responder', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    responder.script.validSeconds = 8;
    const { logger, lines } = listening();
    const { known, clock } = follow(authority, responder.url, logger);
    await eventually(known, 'the status');
    responder.script.httpStatus = 500;
    await eventually(() => warnings(lines) === 1, 'a failure');
    expect(known()).toBeDefined();
    clock.aheadMs = 8000;
    expect(known()).toBeUndefined();
  });

  it('shows nothing any more of a certificate that was revoked', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    responder.script.validSeconds = 2;
    const { logger, lines } = listening();
    const { known } = follow(authority, responder.url, logger);
    await eventually(known, 'the status');
    responder.script.certificate = 'revoked';
    await eventually(() => warnings(lines) === 1, 'a failure');
    expect(lines.at(-1)).toContain('the certificate is revoked');
    expect(known()).toBeUndefined();
  });

  it('ends with the certificates that are followed', async () => {
    const authority = createAuthority();
    const responder = await startResponder(authority);
    const { known, stapler } = follow(authority, responder.url, listening().logger);
    await eventually(known, 'the status');
    stapler.update([]);
    expect(known()).toBeUndefined();
  });
});
