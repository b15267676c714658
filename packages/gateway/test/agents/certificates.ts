// Certificates of one authority, in memory and as files.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '@clew/testkit';
import { cleanUp } from './harness.ts';

/** PEM bytes of a server and its authority, and paths of the same for a client. */
export interface CertificateFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes an authority and one certificate that both ends use; the files are gone after the test. */
export function certificateFiles(): CertificateFiles {
  const authority = createAuthority();
  const issued = authority.issue('agent');
  const folder = mkdtempSync(join(tmpdir(), 'agent-tls-'));
  cleanUp(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, pem: string): string => {
    const path = join(folder, name);
    writeFileSync(path, pem, { mode: 0o600 });
    return path;
  };
  return {
    ca: Buffer.from(authority.cert),
    cert: Buffer.from(issued.cert),
    key: Buffer.from(issued.key),
    caFile: write('ca.pem', authority.cert),
    certFile: write('cert.pem', issued.cert),
    keyFile: write('key.pem', issued.key),
  };
}
