import { describe, expect, it } from 'vitest';
import { createAuthority } from '@clew/testkit';
import { configOf, frame, memoryIo } from '../test/load-text.ts';
import { checkListenerCertificates } from './checks.ts';
import { lintCommand, testCommand, validateCommand } from './commands.ts';

const text = `${frame}upstreams { upstream "u" { target "h:1" } }
agents { agent "a" { unix-socket "a.sock" } }
observability { logging { access-log {} } }
`;

describe('testCommand', () => {
  it('fails with 1 for a file that is missing or wrong', async () => {
    expect(await testCommand('g.kdl', memoryIo({}))).toEqual({
      text: 'Configuration has 1 issue:\n\n  1. cannot read g.kdl: no such file\n',
      exitCode: 1,
    });
  });

  it('fails when a folder of static files is missing', async () => {
    const files = `${frame}routes { route "r" { static-files { root "srv" }; matches { path "/" } } }`;
    expect(await testCommand('g.kdl', memoryIo({ 'g.kdl': files }))).toEqual({
      text: 'Configuration has 1 issue:\n\n  1. g.kdl:3:10: route "r" static-files: root "srv" does not exist\n',
      exitCode: 1,
    });
    expect((await testCommand('g.kdl', memoryIo({ 'g.kdl': files, 'srv/x': '' }))).exitCode).toBe(0);
  });

  it('fails when a listener has no usable certificate, and only warns of one that is too old', async () => {
    const secure = `system {}
listeners { listener "l" { address "127.0.0.1:1"; protocol "https"; tls { cert-file "c.pem"; key-file "k.pem" } } }`;
    expect(await testCommand('g.kdl', memoryIo({ 'g.kdl': secure }))).toMatchObject({
      text: expect.stringContaining('listener "l": cannot read c.pem: no such file') as string,
      exitCode: 1,
    });
    const { cert, key } = createAuthority().issue('localhost');
    const files = { 'g.kdl': secure, 'c.pem': cert, 'k.pem': key };
    expect((await testCommand('g.kdl', memoryIo(files))).exitCode).toBe(0);
    const config = await configOf(secure, memoryIo(files));
    const inAThousandYearsMs = Date.now() + 1000 * 365 * 86_400_000;
    expect(await checkListenerCertificates(config, memoryIo(files), inAThousandYearsMs)).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('has expired') as string },
    ]);
  });

  it('needs neither targets nor agents', async () => {
    expect(await testCommand('g.kdl', memoryIo({ 'g.kdl': text }))).toEqual({
      text: 'Configuration g.kdl is valid: 1 listener, 0 routes, 1 upstream, 1 agent, 0 filters\n',
      exitCode: 0,
    });
  });
});

describe('validateCommand', () => {
  const io = memoryIo({ 'g.kdl': text });
  const connect = () => Promise.reject(new Error('refused'));

  it('fails when a target or an agent cannot be reached', async () => {
    expect(await validateCommand('g.kdl', io, { connect })).toEqual({
      text: `Configuration g.kdl failed (validate)

Configuration has 2 issues:

  1. g.kdl:3:13: upstream "u": cannot connect to h:1: refused
  2. g.kdl:4:10: agent "a": cannot connect to a.sock: refused
`,
      exitCode: 1,
    });
  });

  it('leaves out what it is told to', async () => {
    const { text: withoutAgents } = await validateCommand('g.kdl', io, { connect, skipAgents: true });
    expect(withoutAgents).toContain('upstream "u"');
    expect(withoutAgents).not.toContain('agent "a"');
    const { text: withoutNetwork } = await validateCommand('g.kdl', io, { connect, skipNetwork: true });
    expect(withoutNetwork).toContain('agent "a": "a.sock" does not exist');
    expect(withoutNetwork).not.toContain('refused');
    expect(await validateCommand('g.kdl', io, { connect, skipNetwork: true, skipAgents: true })).toEqual({
      text: 'Configuration g.kdl: validate found nothing to say\n',
      exitCode: 0,
    });
  });

  it('reads certificates unless told not to', async () => {
    const secure = `system {}
listeners { listener "l" { address "127.0.0.1:1"; protocol "https"; tls { cert-file "c"; key-file "k" } } }`;
    const secureIo = memoryIo({ 'g.kdl': secure });
    expect((await validateCommand('g.kdl', secureIo)).text).toContain('listener "l": cannot read c: no such file');
    expect((await validateCommand('g.kdl', secureIo, { skipCerts: true })).exitCode).toBe(0);
  });

  it('reports a configuration that does not load as --test does', async () => {
    const broken = memoryIo({ 'g.kdl': 'system {' });
    expect(await validateCommand('g.kdl', broken)).toEqual(await testCommand('g.kdl', broken));
    expect(await lintCommand('g.kdl', broken)).toEqual(await testCommand('g.kdl', broken));
  });
});

describe('lintCommand', () => {
  it('never fails for what it finds', async () => {
    const { text: said, exitCode } = await lintCommand('g.kdl', memoryIo({ 'g.kdl': text }));
    expect(exitCode).toBe(0);
    expect(said).toContain('Configuration g.kdl passed (lint)\n\n4 warnings:\n');
    expect(said).toContain('upstream "u" is used by no route');
  });
});
