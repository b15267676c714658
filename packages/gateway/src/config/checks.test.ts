import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '@clew/testkit';
import { configOf, memoryIo, shortProblem } from '../test/load-text.ts';
import { checkAgentSockets, checkCertificates, checkNetwork, checkStaticFiles } from './checks.ts';
import type { ConnectProbe } from './checks.ts';
import { nodeConnectProbe } from './connect-probe.ts';
import { nodeConfigIo } from './node-io.ts';

const dayMs = 86_400_000;

describe('checkStaticFiles', () => {
  it('wants every root to be a folder', async () => {
    const route = (root: string) => `route "${root}" { static-files { root "${root}" }; matches { path "/" } }`;
    const config = await configOf(`routes {\n${['srv', 'gone', 'srv/a.txt'].map(route).join('\n')}\n}`);
    const problems = await checkStaticFiles(config, memoryIo({ 'srv/a.txt': '' }));
    expect(problems.map(shortProblem)).toEqual([
      'error g.kdl:3:1: route "gone" static-files: root "gone" does not exist',
      'error g.kdl:4:1: route "srv/a.txt" static-files: root "srv/a.txt" is not a folder',
    ]);
  });
});

describe('checkAgentSockets', () => {
  it('warns of sockets that are not there or none, as hard as it is told to', async () => {
    const agent = (path: string) => `agent "${path}" { unix-socket "${path}" }`;
    const config = await configOf(
      `agents {\n${['a.sock', 'b.sock', 'c.txt'].map(agent).join('\n')}\nagent "g" { grpc "h:1" }\n}`,
    );
    const io = memoryIo({ 'a.sock': '', 'c.txt': '' });
    expect((await checkAgentSockets(config, io)).map(shortProblem)).toEqual([
      'warning g.kdl:3:1: agent "b.sock": "b.sock" does not exist; it is looked for again and again',
      'warning g.kdl:4:1: agent "c.txt": "c.txt" is not a socket',
    ]);
    expect((await checkAgentSockets(config, io, 'error')).map(({ severity }) => severity)).toEqual(['error', 'error']);
  });
});

describe('checkCertificates', () => {
  const authority = createAuthority();
  const own = authority.issue('localhost');
  const other = authority.issue('localhost');
  const files = {
    'ca.pem': authority.cert,
    'c.pem': own.cert,
    'k.pem': own.key,
    'other.pem': other.key,
    'junk.pem': 'junk',
  };
  const check = async (tls: string, nowMs = Date.now()) => {
    const text = `system {}
listeners { listener "l" { address "127.0.0.1:1"; protocol "https"; tls { ${tls} } } }
upstreams { upstream "u" { target "h:1"; tls { ca-cert "ca.pem"; client-cert "c.pem"; client-key "k.pem" } } }
agents { agent "a" { grpc "https://h:1" { ca-cert "ca.pem" } } }`;
    const problems = await checkCertificates(await configOf(text), memoryIo(files), nowMs);
    return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  };

  it('is content with certificates that fit', async () => {
    expect(await check('cert-file "c.pem"; key-file "k.pem"; ca-file "ca.pem"')).toEqual([]);
  });

  it('says what is missing, broken or of somebody else', async () => {
    expect(await check('cert-file "gone.pem"; key-file "k.pem"')).toEqual([
      'listener "l": cannot read gone.pem: no such file',
    ]);
    expect(await check('cert-file "c.pem"; key-file "other.pem"')).toEqual([
      'listener "l": the key in other.pem is not that of the certificate in c.pem',
    ]);
    expect(await check('cert-file "junk.pem"; key-file "junk.pem"')).toEqual([
      expect.stringMatching(/^listener "l": junk\.pem holds no certificate: /),
    ]);
    expect(await check('cert-file "c.pem"; key-file "junk.pem"')).toEqual([
      expect.stringMatching(/^listener "l": junk\.pem holds no usable private key: /),
    ]);
    expect(await check('cert-file "c.pem"; key-file "k.pem"; sni-certs { cert-folder "certs" }')).toEqual([
      'listener "l": cert-folder "certs" is not a folder',
    ]);
  });

  it('looks at the dates of certificates', async () => {
    const tls = 'cert-file "c.pem"; key-file "k.pem"';
    expect(await check(tls, Date.now() + dayMs)).toContainEqual(expect.stringMatching(/c\.pem has expired \(/));
    expect(await check(tls, Date.now() - dayMs)).toContainEqual(expect.stringMatching(/c\.pem is not valid before /));
    const config = await configOf(
      `system {}\nlisteners { listener "l" { address "127.0.0.1:1"; protocol "https"; tls { ${tls} } } }`,
    );
    const problems = await checkCertificates(config, memoryIo(files), Date.now());
    expect(problems).toEqual([
      expect.objectContaining({ severity: 'warning', message: expect.stringContaining('expires in 0 days') }),
    ]);
  });
});

function listening(server: Server, where: string | number): Promise<void> {
  return new Promise((resolve) => {
    if (typeof where === 'string') server.listen(where, resolve);
    else server.listen(where, '127.0.0.1', resolve);
  });
}

const closed = (server: Server) => new Promise((resolve) => server.close(resolve));

describe('checkNetwork', () => {
  it('connects to every target and agent, and names those it cannot reach', async () => {
    const tried: object[] = [];
    const probe: ConnectProbe = (target, timeoutMs) => {
      tried.push({ ...target, timeoutMs });
      return 'host' in target && target.host === 'up' ? Promise.resolve() : Promise.reject(new Error('refused'));
    };
    const config = await configOf(`upstreams { upstream "u" { target "up:1"; target "down:2" } }
agents { agent "a" { unix-socket "/a" }; agent "b" { grpc "https://h" }; agent "c" { grpc "[::1]:7" } }`);
    expect((await checkNetwork(config, probe)).map(shortProblem)).toEqual([
      'error g.kdl:1:13: upstream "u": cannot connect to down:2: refused',
      'error g.kdl:2:10: agent "a": cannot connect to /a: refused',
      'error g.kdl:2:42: agent "b": cannot connect to https://h: refused',
      'error g.kdl:2:74: agent "c": cannot connect to [::1]:7: refused',
    ]);
    expect(tried).toEqual([
      { host: 'up', port: 1, timeoutMs: 5000 },
      { host: 'down', port: 2, timeoutMs: 5000 },
      { socketPath: '/a', timeoutMs: 5000 },
      { host: 'h', port: 443, timeoutMs: 5000 },
      { host: '::1', port: 7, timeoutMs: 5000 },
    ]);
    expect(await checkNetwork(config, probe, { upstreams: false, agents: false })).toEqual([]);
  });

  it('does so with real sockets, and sees them in the file system', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'clew-gateway-'));
    const servers = [createServer(), createServer()] as const;
    try {
      const socketPath = join(directory, 'agent.sock');
      await Promise.all([listening(servers[0], 0), listening(servers[1], socketPath)]);
      const { port } = servers[0].address() as AddressInfo;
      expect(await nodeConfigIo.kindOf(socketPath)).toBe('socket');
      expect(await nodeConfigIo.kindOf(directory)).toBe('directory');
      expect(await nodeConfigIo.kindOf(join(directory, 'x'))).toBe('missing');
      expect(await nodeConfigIo.listDirectory(directory)).toEqual([{ name: 'agent.sock', kind: 'socket' }]);
      expect(await nodeConfigIo.listDirectory(join(directory, 'x'))).toEqual([]);
      await nodeConnectProbe({ host: '127.0.0.1', port }, 5000);
      await nodeConnectProbe({ socketPath }, 5000);
      await closed(servers[0]);
      await expect(nodeConnectProbe({ host: '127.0.0.1', port }, 5000)).rejects.toThrow('ECONNREFUSED');
      await expect(nodeConnectProbe({ socketPath: join(directory, 'x') }, 5000)).rejects.toThrow('ENOENT');
    } finally {
      for (const server of servers) if (server.listening) await closed(server);
      await rm(directory, { recursive: true });
    }
  });
});
