import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkEngine } from './engine.ts';
import { checkClock, checkDisk, checkLimits } from './machine.ts';
import { checkPorts } from './ports.ts';

describe('clew doctor', () => {
  it('calls a taken required port a problem and a taken optional one a warning', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const findings = await checkPorts('127.0.0.1', [
      { port, transport: 'tcp', purpose: 'OTLP', required: true },
      { port, transport: 'tcp', purpose: 'metrics', required: false },
    ]);
    await new Promise((resolve) => server.close(resolve));
    expect(findings.map((finding) => finding.level)).toEqual(['problem', 'warning']);
    expect(findings[0]!.text).toMatch(/^taken by \S.*, wanted for OTLP$/);
    expect(findings[0]!.advice).toContain('another port');
  });

  it('finds a free port free', async () => {
    const [finding] = await checkPorts('127.0.0.1', [
      { port: 0, transport: 'tcp', purpose: 'anything', required: true },
    ]);
    expect(finding!.level).toBe('ok');
  });

  it('looks at the nearest existing parent of a data directory that is not there yet', async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'clew-doctor-')), 'not', 'yet');
    const [finding] = await checkDisk(directory);
    expect(finding!.text).toContain(directory);
  });

  it('calls a clock in the past a problem', () => {
    expect(checkClock(new Date('1999-12-31T00:00:00Z'))[0]!.level).toBe('problem');
    expect(checkClock(new Date('2026-11-21T00:00:00Z'))[0]!.level).not.toBe('problem');
  });

  it('reports memory and cores', () => {
    expect(checkLimits().map((finding) => finding.area)).toEqual(expect.arrayContaining(['memory', 'cores']));
  });

  it('says what to do where the embedded engine does not exist', () => {
    const [finding] = checkEngine('win32', 'x64');
    expect(finding!.level).toBe('problem');
    expect(finding!.advice).toContain('clew_storage::url');
  });
});
