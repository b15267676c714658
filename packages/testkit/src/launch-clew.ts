import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.ts';

/** A Clew of its own for a benchmark or test: own data, own ports. */
export interface LaunchedClew {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly directory: string;
  readonly ports: ClewPorts;
  readonly queryUrl: string;
  /** What the program wrote to its standard output so far: its banner, at least the beginning. */
  readonly stdout: () => string;
  /** From the start of the process until everything listens. */
  readonly listeningAfterMs: number;
  /** Stops the process and removes its data. */
  close(): Promise<void>;
}

/** The ports of a launched Clew. */
export interface ClewPorts {
  /** OTLP over gRPC. */
  readonly grpc: number;
  /** OTLP over HTTP. */
  readonly http: number;
  readonly query: number;
  readonly health: number;
  readonly jaegerGrpc: number;
  readonly jaegerHttp: number;
  /** UDP. */
  readonly jaegerCompact: number;
  /** UDP. */
  readonly jaegerBinary: number;
  /** UDP. */
  readonly jaegerZipkinCompact: number;
  readonly zipkin: number;
  readonly samplingHttp: number;
  readonly samplingGrpc: number;
}

/** What differs between launches. */
export interface LaunchOptions {
  readonly directory?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const program = fileURLToPath(new URL('../../clew/bin/clew.mjs', import.meta.url));
const startTimeoutMs = 60_000;

/** Starts the all-in-one on free ports and waits until it answers. */
export async function launchClew(options: LaunchOptions = {}): Promise<LaunchedClew> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'clew-run-'));
  const ports = await launchPorts();
  const overrides = join(directory, 'overrides.yaml');
  const settings = {
    receivers: {
      otlp: { protocols: { grpc: at(ports.grpc), http: at(ports.http) } },
      jaeger: {
        protocols: {
          grpc: at(ports.jaegerGrpc),
          thrift_http: at(ports.jaegerHttp),
          thrift_compact: at(ports.jaegerCompact),
          thrift_binary: at(ports.jaegerBinary),
          thrift_zipkin_compact: at(ports.jaegerZipkinCompact),
        },
      },
      zipkin: at(ports.zipkin),
    },
    extensions: {
      clew_query: { http: at(ports.query) },
      remote_sampling: {
        http: at(ports.samplingHttp),
        grpc: at(ports.samplingGrpc),
        also_http_endpoints: [at(ports.jaegerHttp).endpoint],
        also_grpc_endpoints: [at(ports.jaegerGrpc).endpoint],
      },
      health_check: at(ports.health),
    },
    service: { telemetry: { metrics: { level: 'none' } } },
  };
  writeFileSync(overrides, JSON.stringify(settings));
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [program, '--data', join(directory, 'data'), '--config', overrides, ...(options.args ?? [])],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const said = echoedErrors(child);
  const output = { text: '' };
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (output.text += piece));
  const announced = untilAnnounced(child, output);
  const queryUrl = `http://127.0.0.1:${ports.query}`;
  try {
    await announced;
    const listeningAfterMs = performance.now() - startedMs;
    await untilAnswers(`${queryUrl}/readyz`, child);
    return {
      process: child,
      pid: child.pid!,
      directory,
      ports,
      queryUrl,
      stdout: () => output.text,
      listeningAfterMs,
      async close() {
        child.kill('SIGTERM');
        await ended;
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (caught) {
    child.kill('SIGKILL');
    await ended;
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
    throw new Error(`${(caught as Error).message}; it said:\n${said.text}`, { cause: caught });
  }
}

const at = (port: number) => ({ endpoint: `127.0.0.1:${port}` });

/** What the program writes to its standard error goes to this one's, and is kept until it is ready to say why it was not. */
function echoedErrors(child: ChildProcess): { readonly text: string } {
  const said = { text: '' };
  child.stderr!.setEncoding('utf8').on('data', (piece: string) => {
    process.stderr.write(piece);
    if (said.text.length < 10_000) said.text += piece;
  });
  return said;
}

/** Until the program says that it is ready: everything listens then, not only what answers first. */
function untilAnnounced(child: ChildProcess, output: { readonly text: string }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (what: string): void => reject(new Error(`clew ${what} before it said that it is ready`));
  const timer = setTimeout(() => fail(`took longer than ${startTimeoutMs} ms`), startTimeoutMs);
  child.stdout!.on('data', () => {
    if (output.text.includes('is ready')) resolve();
  });
  child.once('exit', (code) => fail(`ended with ${code}`));
  return promise.finally(() => clearTimeout(timer));
}

/** Asks until the answer is a success or the process is gone. */
async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + startTimeoutMs;
  while (performance.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`clew ended with ${child.exitCode} before it answered`);
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await sleep(20);
  }
  throw new Error(`${url} did not answer within ${startTimeoutMs} ms`);
}

const portNames = [
  'grpc',
  'http',
  'query',
  'health',
  'jaegerGrpc',
  'jaegerHttp',
  'jaegerCompact',
  'jaegerBinary',
  'jaegerZipkinCompact',
  'zipkin',
  'samplingHttp',
  'samplingGrpc',
] as const satisfies readonly (keyof ClewPorts)[];

/** A free port for each of its listeners. */
async function launchPorts(): Promise<ClewPorts> {
  const ports = await freePorts(portNames.length);
  return Object.fromEntries(portNames.map((name, at) => [name, ports[at]!])) as unknown as ClewPorts;
}
