import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createAuthority } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import { startProgram, testFolder } from '../../test/command/harness.ts';

/** The name on the certificate that one of the threads shows. */
const shown = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });

describe('certificates', () => {
  it('are read anew by every thread when that is asked for, though the configuration is the same', async () => {
    const folder = testFolder();
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = (name: string): void => {
      const { cert, key } = createAuthority().issue(name);
      writeFileSync(certFile, cert);
      writeFileSync(keyFile, key);
    };
    put('first');
    const { program, said } = await startProgram(`
system { worker-threads 3 }
listeners {
    listener "http" {
        address "127.0.0.1:0"
        protocol "https"
        tls { cert-file "${certFile}"; key-file "${keyFile}" }
    }
}
routes { route "health" { matches { path "/" }; builtin-handler "health" } }
observability { metrics { address "127.0.0.1:0" }; logging { error-log { enabled #false } } }`);
    const port = program.ports.listeners['http']!;
    const names = async (): Promise<Set<string>> =>
      new Set(await Promise.all(Array.from({ length: 20 }, () => shown(port))));
    expect(await names()).toEqual(new Set(['first']));
    put('second');
    await program.reload();
    expect(await names()).toEqual(new Set(['second']));
    writeFileSync(certFile, 'broken');
    await program.reload();
    expect(await names()).toEqual(new Set(['second']));
    const lines = said.join('');
    expect(lines.match(/Other certificates are shown from now on/g)).toHaveLength(1);
    expect(lines.match(/Certificates were not reloaded, the old ones stay/g)).toHaveLength(1);
  });
});
