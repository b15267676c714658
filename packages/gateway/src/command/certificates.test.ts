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

/** A gateway of three threads whose certificate a test replaces. */
async function startSecure() {
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
  return { program, said, put, certFile, port: program.ports.listeners['http']! };
}

describe('certificates', () => {
  it('are read anew by every thread when that is asked for, though the configuration is the same', async () => {
    const { program, said, put, certFile, port } = await startSecure();
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

/** Connects, with a session where there is one; says whether it was resumed, and the session for the next time. */
const resume = (port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3', session?: Buffer) =>
  new Promise<{ readonly reused: boolean; readonly session: Buffer }>((resolve, reject) => {
    const given = session === undefined ? {} : { session };
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion, ...given });
    let ticket: Buffer | undefined;
    socket.on('session', (issued) => (ticket = issued));
    // With TLS 1.3 tickets come after the handshake.
    socket.on('data', () => {
      resolve({ reused: socket.isSessionReused(), session: ticket ?? socket.getSession()! });
      socket.destroy();
    });
    socket.on('error', reject);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });

describe('sessions', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s are resumed by whichever thread, also after a reload',
    async (version) => {
      const { program, port } = await startSecure();
      const { reused, session } = await resume(port, version);
      expect(reused).toBe(false);
      const many = () =>
        Promise.all(Array.from({ length: 15 }, async () => (await resume(port, version, session)).reused));
      expect(new Set(await many())).toEqual(new Set([true]));
      await program.reload();
      expect(new Set(await many())).toEqual(new Set([true]));
    },
  );
});
