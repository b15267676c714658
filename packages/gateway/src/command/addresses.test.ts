import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import { startProgram, testFolder } from '../../test/command/harness.ts';
import { nodeConfigIo } from '../config/node-io.ts';
import { GatewayProgram } from './gateway-program.ts';

describe('the addresses of a gateway', () => {
  it('are none before it listens', () => {
    const stderr = (): void => undefined;
    expect(new GatewayProgram({ path: 'x.kdl', io: nodeConfigIo, version: '1.2.3', stderr }).addresses).toEqual([]);
  });

  it('are those it has, in the order of the configuration, with how they are spoken to', async () => {
    const folder = testFolder();
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const { cert, key } = createAuthority().issue('localhost');
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const { program } = await startProgram(`
system { worker-threads 1 }
listeners {
    listener "secure" { address "127.0.0.1:0"; protocol "https"; tls { cert-file "${certFile}"; key-file "${keyFile}" } }
    listener "http" { address "127.0.0.1:0" }
}
routes { route "health" { matches { path "/" }; builtin-handler "health" } }
observability { metrics { enabled #false }; logging { error-log { enabled #false } } }`);
    const { secure, http } = program.ports.listeners;
    expect(program.addresses).toEqual([
      { scheme: 'https', address: `127.0.0.1:${secure}` },
      { scheme: 'http', address: `127.0.0.1:${http}` },
    ]);
    expect((await fetch(`http://${program.addresses[1]!.address}/`)).status).toBe(200);
  });
});
