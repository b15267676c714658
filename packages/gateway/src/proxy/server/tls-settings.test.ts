// What the `tls` block of a listener asks for, as clients meet it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { createAuthority } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import { eventually, proxyConfig, startGateway } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';
import { certificates, shownCertificate, tlsListener } from '../../../test/proxy/tls.ts';

const routes = 'routes { route "r" { matches { path "/" }; builtin-handler "health" } }';

/** A secure gateway with these settings besides a certificate. */
function gatewayWith(settings: string): Promise<TestGateway> {
  const { cert, key } = certificates().issue('own');
  return startGateway(`${tlsListener(`cert-file "${cert}"; key-file "${key}"; ${settings}`)}\n${routes}`);
}

interface Visit {
  readonly version: string | null;
  readonly cipher: string;
  readonly reused: boolean;
  /** To come back with. */
  readonly session: Buffer | undefined;
}

/** What a client of this kind agrees upon with the gateway; undefined when they come to no agreement. It makes a request. */
function visit({ port }: TestGateway, client: ConnectionOptions): Promise<Visit | undefined> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...client });
    let session: Buffer | undefined;
    socket.on('session', (issued) => (session = issued));
    socket.on('data', () => {
      resolve({
        version: socket.getProtocol(),
        cipher: socket.getCipher().standardName,
        reused: socket.isSessionReused(),
        session: session ?? socket.getSession(),
      });
      socket.destroy();
    });
    socket.on('error', () => undefined); // Being refused shows as an alert.
    socket.on('close', () => resolve(undefined));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });
}

describe('versions', () => {
  it.each([
    ['', 'TLSv1.3', 'TLSv1.2'],
    ['min-version "1.3"', 'TLSv1.3', undefined],
    ['max-version "1.2"', 'TLSv1.2', 'TLSv1.2'],
  ])('with %j are %s, and %s with a client that knows no newer one than 1.2', async (settings, newest, old) => {
    const gateway = await gatewayWith(settings);
    expect((await visit(gateway, {}))?.version).toBe(newest);
    expect((await visit(gateway, { maxVersion: 'TLSv1.2' }))?.version).toBe(old);
  });
});

describe('cipher-suite', () => {
  it('names the only ones that are used, in any version', async () => {
    const gateway = await gatewayWith('cipher-suite "ECDHE-ECDSA-AES256-GCM-SHA384" "TLS_AES_128_GCM_SHA256"');
    expect((await visit(gateway, {}))?.cipher).toBe('TLS_AES_128_GCM_SHA256');
    const old = { maxVersion: 'TLSv1.2' } as const;
    expect((await visit(gateway, old))?.cipher).toBe('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384');
    expect(await visit(gateway, { ...old, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBeUndefined();
    expect(await visit(gateway, { ciphers: 'TLS_AES_256_GCM_SHA384', minVersion: 'TLSv1.3' })).toBeUndefined();
  });
});

describe('session-resumption', () => {
  it.each([
    ['', 'TLSv1.2', true],
    ['', 'TLSv1.3', true],
    ['session-resumption #false', 'TLSv1.2', false],
    ['session-resumption #false', 'TLSv1.3', false],
  ] as const)('with %j makes the second handshake of %s shorter: %s', async (settings, maxVersion, expected) => {
    const gateway = await gatewayWith(settings);
    const first = await visit(gateway, { maxVersion });
    expect(first?.reused).toBe(false);
    const { session } = first!;
    const second = await visit(gateway, { maxVersion, ...(session === undefined ? {} : { session }) });
    expect(second?.reused).toBe(expected);
  });
});

describe('names', () => {
  it('belong to whoever has them as priority-hostnames, whatever others claim', async () => {
    const files = certificates();
    const [own, first, second] = [files.issue('own'), files.issue('first'), files.issue('second')];
    const settings = (priority: string): string => `
      cert-file "${own.cert}"; key-file "${own.key}"; allow-sni-overlaps #true
      sni { hostnames "a.test" "*.b.test"; cert-file "${first.cert}"; key-file "${first.key}" }
      sni { hostnames "a.test" "c.test"; ${priority} cert-file "${second.cert}"; key-file "${second.key}" }`;
    const names = ['a.test', 'x.b.test', 'c.test', 'd.test'];
    const shown = async (priority: string): Promise<string[]> => {
      const { port } = await startGateway(`${tlsListener(settings(priority))}\n${routes}`);
      return Promise.all(names.map((name) => shownCertificate(port, name)));
    };
    expect(await shown('')).toEqual(['first', 'first', 'second', 'own']);
    const wanted = 'priority-hostnames "a.test" "*.b.test";';
    expect(await shown(wanted)).toEqual(['second', 'second', 'second', 'own']);
  });
});

describe('a folder of certificates', () => {
  /** Files for `localhost`, which the test authority issues for. */
  function folderOf(parent: string) {
    const folder = join(parent, 'more');
    mkdirSync(folder);
    const put = (name: string): void => {
      const { cert, key } = createAuthority().issue(name);
      writeFileSync(join(folder, 'a.key'), key);
      writeFileSync(join(folder, 'a.crt'), cert);
    };
    return { folder, put };
  }

  it('is read again and again with reload-mode "interval"; files that do not fit change nothing', async () => {
    const files = certificates();
    const { cert, key } = files.issue('own');
    const { folder, put } = folderOf(files.folder);
    put('first');
    const settings = `cert-file "${cert}"; key-file "${key}"
      sni-certs { cert-folder "${folder}"; reload-mode "interval"; reload-interval "50ms" }`;
    const gateway = await startGateway(`${tlsListener(settings)}\n${routes}`);
    const { certificates: told } = gateway.recorder;
    expect(await shownCertificate(gateway.port, 'localhost')).toBe('first');
    writeFileSync(join(folder, 'a.crt'), 'broken');
    await eventually(() => told.some(({ result }) => result === 'failure'), 'the failure');
    expect(await shownCertificate(gateway.port, 'localhost')).toBe('first');
    put('second');
    await eventually(async () => (await shownCertificate(gateway.port, 'localhost')) === 'second');
    expect(told.map(({ result }) => result)).toEqual(['failure', 'success']);
  });

  it('is read again only with the configuration with reload-mode "off"', async () => {
    const files = certificates();
    const { cert, key } = files.issue('own');
    const { folder, put } = folderOf(files.folder);
    put('first');
    const settings = `cert-file "${cert}"; key-file "${key}"; sni-certs { cert-folder "${folder}" }`;
    const text = `${tlsListener(settings)}\n${routes}`;
    const gateway = await startGateway(text);
    put('second');
    // Twice as long as a folder that is watched has to be quiet.
    await new Promise((resolve) => void setTimeout(resolve, 400));
    expect(await shownCertificate(gateway.port, 'localhost')).toBe('first');
    expect(gateway.server.reload(await proxyConfig(text))).toMatchObject({ result: 'success' });
    expect(await shownCertificate(gateway.port, 'localhost')).toBe('second');
  });
});
