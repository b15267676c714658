import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import { onEnd, proxyConfig } from '../../../test/proxy/harness.ts';
import { CertificateStore } from './certificates.ts';

/** Certificates in a folder, and what a listener with these settings is told when it begins to listen to the store. */
async function setup(settings: string) {
  const folder = mkdtempSync(join(tmpdir(), 'clew-sni-'));
  onEnd(() => rmSync(folder, { recursive: true }));
  const authority = createAuthority();
  const issue = (file: string): void => {
    // Every certificate of this authority is for localhost.
    const { cert, key } = authority.issue(file);
    writeFileSync(join(folder, `${file}.pem`), cert);
    writeFileSync(join(folder, `${file}.key`), key);
  };
  for (const file of ['own', 'first', 'second']) issue(file);
  const pair = (file: string): string => `cert-file "${folder}/${file}.pem"; key-file "${folder}/${file}.key"`;
  const sni = ['first', 'second'].map((file) => `sni { ${pair(file)} }`).join('; ');
  const { listeners } = await proxyConfig(
    `listeners { listener "s" { address "127.0.0.1:0"; protocol "https"; tls { ${pair('own')}; ${settings.replace('SNI', sni).replaceAll('FOLDER', folder)} } } }`,
  );
  const store = new CertificateStore('s', listeners[0]!.tls!, new Uint8Array(32));
  const problems: string[] = [];
  onEnd(
    store.follow({
      onReloaded() {},
      onReloadFailed() {},
      onProblem: (text) => problems.push(text.replaceAll(folder, '')),
    }),
  );
  return { store, problems, issue };
}

describe('a server name that two certificates claim by themselves', () => {
  const overlap = '/second.pem claims localhost as well as /first.pem, which is shown; allow-sni-overlaps accepts that';

  it('is told, once', async () => {
    const { store, problems, issue } = await setup('SNI');
    expect(problems).toEqual([overlap]);
    issue('second');
    store.reload();
    expect(problems).toEqual([overlap]);
  });

  it('is told when it comes to be later', async () => {
    const { store, problems, issue } = await setup('sni-certs { cert-folder "FOLDER" }');
    const claims = (file: string): string => overlap.replace('second', file);
    expect(problems).toEqual([claims('own'), claims('second')]);
    issue('third');
    store.reload();
    expect(problems.slice(2)).toEqual([claims('third')]);
  });

  it('is as it should be when the configuration accepts it or decides', async () => {
    expect((await setup('SNI; allow-sni-overlaps #true')).problems).toEqual([]);
    const decided = 'sni { priority-hostnames "localhost"; cert-file "FOLDER/first.pem"; key-file "FOLDER/first.key" }';
    expect((await setup(`${decided}; sni-certs { cert-folder "FOLDER" }`)).problems).toEqual([]);
  });
});
