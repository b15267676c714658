import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../test/agents/framed-agent.ts';
import { removeSocketPaths } from '../../test/agents/script.ts';
import { onEnd, startBackend, startProgram, testFolder, waitFor } from '../../test/command/harness.ts';
import { nodeConfigIo } from '../config/node-io.ts';
import { GatewayProgram } from './gateway-program.ts';
import { followSignals } from './run.ts';

const configText = (metrics: string, more = ''): string => `
system { worker-threads 1; auto-reload #true }
listeners { listener "http" { address "127.0.0.1:0" } }
${more}
observability { metrics { ${metrics} } }`;

const metrics = 'address "127.0.0.1:0"';
const route = (name: string): string =>
  `routes { route "${name}" { matches { path "/${name}" }; builtin-handler "health" } }`;

/** Whether a gateway answers below a path. */
async function serves(url: string, path: string): Promise<boolean> {
  return (await fetch(`${url}${path}`)).status === 200;
}

describe('metrics of a running gateway', () => {
  it('move to another path, end and come back as the configuration says', async () => {
    const { program, path } = await startProgram(configText(metrics));
    const url = `http://127.0.0.1:${program.ports.metrics}/`;
    expect([await serves(url, 'metrics'), await serves(url, 'm')]).toEqual([true, false]);
    const change = (text: string): Promise<void> => {
      writeFileSync(path, configText(text));
      return program.reload();
    };
    await change(`${metrics}; path "/m"`);
    expect([await serves(url, 'metrics'), await serves(url, 'm')]).toEqual([false, true]);
    await change(`${metrics}; enabled #false`);
    expect(program.ports.metrics).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
    await change(metrics);
    expect(await serves(`http://127.0.0.1:${program.ports.metrics}/`, 'metrics')).toBe(true);
  });
});

describe('the listener of metrics', () => {
  it('takes so many connections, and counts the others', async () => {
    const { program } = await startProgram(configText(`${metrics}; max-connections 1`));
    const { metrics: port } = program.ports;
    const first = connect(port, '127.0.0.1');
    onEnd(() => first.destroy());
    await new Promise((resolve) => first.once('connect', resolve));
    const second = connect(port, '127.0.0.1');
    onEnd(() => second.destroy());
    await new Promise((resolve) => second.once('close', resolve));
    let text = '';
    first.on('data', (piece) => (text += piece.toString()));
    first.write('GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await waitFor(() => expect(text).toContain('clew_gateway_metrics_connections_refused_total 1'));
  });
});

describe('a gateway that watches its configuration', () => {
  it('notices new files in folders that are new, and changes in files that are included', async () => {
    const { path, url } = await startProgram(configText(metrics, 'include "parts/**/*.kdl"'));
    const parts = join(dirname(path), 'parts');
    mkdirSync(parts);
    mkdirSync(join(parts, 'deeper'));
    const part = join(parts, 'deeper', 'one.kdl');
    writeFileSync(part, route('one'));
    await waitFor(async () => expect(await serves(url, 'one')).toBe(true));
    writeFileSync(part, route('two'));
    await waitFor(async () => expect(await serves(url, 'two')).toBe(true));
  });

  it('notices that the link was changed by which Kubernetes gives it all files', async () => {
    const folder = testFolder();
    const version = (name: string): void => {
      mkdirSync(join(folder, `..${name}`));
      writeFileSync(join(folder, `..${name}`, 'gateway.kdl'), configText(metrics, route(name)));
      symlinkSync(`..${name}`, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    version('first');
    const path = join(folder, 'gateway.kdl');
    symlinkSync('..data/gateway.kdl', path);
    const program = new GatewayProgram({ path, io: { ...nodeConfigIo, env: {} }, version: '1', stderr: () => {} });
    onEnd(() => program.stop());
    await program.start();
    const url = `http://127.0.0.1:${program.ports.listeners['http']}/`;
    expect(await serves(url, 'first')).toBe(true);
    version('second');
    await waitFor(async () => expect(await serves(url, 'second')).toBe(true));
  });
});

describe('signals', () => {
  const begin = (text: string) => {
    const path = join(testFolder(), 'gateway.kdl');
    writeFileSync(path, text);
    const said: string[] = [];
    const stderr = (line: string): void => void said.push(line);
    const program = new GatewayProgram({ path, io: { ...nodeConfigIo, env: {} }, version: '1', stderr });
    onEnd(() => program.stop());
    onEnd(followSignals(program));
    return { program, path, said };
  };

  it('that have no meaning do not end the gateway', async () => {
    const { program, said } = begin(configText(metrics));
    await program.start();
    process.emit('SIGUSR2');
    expect(said.join('')).toContain('SIGUSR2');
    expect(await program.stop()).toBe(true);
  });

  it('that come during the start are followed after it', async () => {
    const { program, path } = begin(configText(metrics, route('one')));
    const started = program.start();
    process.emit('SIGHUP');
    await started;
    const url = `http://127.0.0.1:${program.ports.listeners['http']}/`;
    writeFileSync(path, configText(metrics, route('two')));
    process.emit('SIGHUP');
    await waitFor(async () => expect(await serves(url, 'two')).toBe(true));
  });
});

describe('a gateway that cannot have its port', () => {
  it('has spoken to nobody', async () => {
    const { port, state } = await startBackend();
    const agent = await startFramedAgent();
    onEnd(removeSocketPaths);
    onEnd(() => agent.stop());
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onEnd(() => taken.close());
    const text = configText(
      metrics,
      `upstreams { upstream "u" { target "127.0.0.1:${port}"; health-check { type "http" { path "/probe" } } } }
agents { agent "a" { unix-socket "${agent.address}" } }`,
    ).replace('127.0.0.1:0', `127.0.0.1:${(taken.address() as AddressInfo).port}`);
    await expect(startProgram(text)).rejects.toMatchObject({ code: 'start_failed' });
    expect([state.probes, agent.connections.total]).toEqual([0, 0]);
  });
});
