import { unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { ListenOptions, Server } from 'node:net';
import { NetError } from '../errors.ts';
import { formatAddress } from './endpoint.ts';
import { findPortHolder } from './port-holder.ts';
import type { ListenEndpoint, ListenerOptions } from './types.ts';

/**
 * Connections that may wait to be accepted. Node's default of 511 is too few when hundreds of clients reconnect at once, as after a
 * restart; the system caps it (Linux: net.core.somaxconn, 4096 by default).
 */
const backlog = 4096;

/** Whether threads can share a port here: needs SO_REUSEPORT with load balancing, which Linux and some BSDs have. */
export async function canSharePorts(): Promise<boolean> {
  const server = createServer();
  try {
    await listenOn(server, { host: '127.0.0.1', port: 0, reusePort: true });
    return true;
  } catch {
    return false; // Where it is not supported Node says so by ENOTSUP; whatever it is, sharing does not work.
  } finally {
    await closed(server);
  }
}

/** Fails as binding would when somebody listens on the endpoint already, even somebody who would share it. */
export async function checkFree(endpoint: ListenEndpoint): Promise<void> {
  if (endpoint.transport === 'unix' || endpoint.port === 0) return;
  const probe = createServer();
  try {
    await bind(probe, endpoint, false);
  } finally {
    await closed(probe);
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** Binds a server. A Unix socket that nobody answers any more, left behind by a crash, is replaced. */
export async function bind(server: Server, endpoint: ListenEndpoint, reusePort: boolean): Promise<void> {
  if (endpoint.transport !== 'unix') {
    const { host, port, transport } = endpoint;
    return listenOn(server, { host, port, ipv6Only: transport === 'tcp6', ...(reusePort ? { reusePort } : {}) });
  }
  try {
    await listenOn(server, { path: endpoint.path });
  } catch (caught) {
    if (codeOf(caught) !== 'EADDRINUSE' || (await isAnswered(endpoint.path))) throw caught;
    await unlink(endpoint.path);
    await listenOn(server, { path: endpoint.path });
  }
}

function listenOn(server: Server, target: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ backlog, ...target }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Only a refused connection proves that no process listens; anything else leaves the socket alone. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'));
  });
}

/** The error of a listener that could not be opened: `port_in_use` with the holder's name, or `listen_failed`. */
export async function listenError({ endpoint, owner }: ListenerOptions, caught: unknown): Promise<NetError> {
  if (caught instanceof NetError) return caught;
  const address = formatAddress(endpoint);
  if (codeOf(caught) === 'EADDRINUSE') {
    const holder = endpoint.transport === 'unix' ? undefined : await findPortHolder(endpoint.port);
    const by = holder ? `held by ${holder}` : 'held by another process';
    const message = `${owner} cannot listen on ${address}: the address is in use, ${by}; stop it or configure another endpoint`;
    return new NetError('port_in_use', message, { cause: caught, details: { address, ...(holder ? { holder } : {}) } });
  }
  const why = caught instanceof Error ? caught.message : String(caught);
  return new NetError('listen_failed', `${owner} cannot listen on ${address}: ${why}`, {
    cause: caught,
    details: { address },
  });
}

function codeOf(caught: unknown): string {
  return caught instanceof Error && 'code' in caught ? String(caught.code) : '';
}
