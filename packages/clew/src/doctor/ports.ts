import { createServer } from 'node:net';
import type { Finding } from './check.ts';

/** A port Clew wants, and what for. */
export interface WantedPort {
  readonly port: number;
  readonly purpose: string;
  /** True when Clew cannot start without it. */
  readonly required: boolean;
}

/** The ports of the all-in-one. */
export const allInOnePorts: readonly WantedPort[] = [
  { port: 4317, purpose: 'OTLP gRPC', required: true },
  { port: 4318, purpose: 'OTLP HTTP', required: true },
  { port: 16686, purpose: 'page and query API', required: true },
  { port: 8888, purpose: 'own metrics', required: false },
  { port: 13133, purpose: 'health check', required: false },
];

/** Tries to bind every port on `host`; a port Clew itself already answers is fine. */
export async function checkPorts(host: string, ports: readonly WantedPort[]): Promise<Finding[]> {
  return Promise.all(ports.map((wanted) => checkPort(host, wanted)));
}

async function checkPort(host: string, { port, purpose, required }: WantedPort): Promise<Finding> {
  const failure = await tryBind(host, port);
  const area = `port ${port}`;
  if (failure === undefined) return { area, level: 'ok', text: `free, for ${purpose}` };
  if (await answersAsClew(host, port)) return { area, level: 'ok', text: `a running Clew answers (${purpose})` };
  const text =
    failure === 'EADDRINUSE' ? `taken by another program, wanted for ${purpose}` : `cannot be bound: ${failure}`;
  const advice =
    failure === 'EACCES'
      ? 'ports below 1024 need privileges; choose another in the configuration'
      : 'stop that program, or give Clew another port in its configuration (clew config shows where)';
  return { area, level: required ? 'problem' : 'warning', text, advice };
}

/** The error code of binding, or undefined when it works. */
function tryBind(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function answersAsClew(host: string, port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}:${port}/api/clew/v1/status`, { signal: AbortSignal.timeout(1000) });
    return response.ok && response.headers.get('content-type')?.includes('json') === true;
  } catch {
    // Not an HTTP server, or not ours: the finding says the port is taken.
    return false;
  }
}
