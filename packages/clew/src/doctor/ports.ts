import { findPortHolder, findUdpPortHolder } from '@clew/net';
import type { WantedPort } from '../all-in-one/ports.ts';
import { tryBind } from '../all-in-one/try-bind.ts';
import type { Finding } from './check.ts';

/** Tries to bind every port on `host`; a port that a running Clew has is fine. */
export async function checkPorts(host: string, ports: readonly WantedPort[]): Promise<Finding[]> {
  return Promise.all(ports.map((wanted) => checkPort(host, wanted)));
}

async function checkPort(host: string, { port, transport, purpose, required }: WantedPort): Promise<Finding> {
  const failure = await tryBind(transport, host, port);
  const area = transport === 'udp' ? `UDP port ${port}` : `port ${port}`;
  if (failure === undefined) return { area, level: 'ok', text: `free, for ${purpose}` };
  const holder = await (transport === 'udp' ? findUdpPortHolder : findPortHolder)(port);
  if (holder !== undefined && isClew(holder))
    return { area, level: 'ok', text: `held by a running Clew, for ${purpose}` };
  const text =
    failure === 'EADDRINUSE'
      ? `taken by ${holder ?? 'another program'}, wanted for ${purpose}`
      : `cannot be bound: ${failure}`;
  const advice =
    failure === 'EACCES'
      ? 'ports below 1024 need privileges; choose another in the configuration'
      : 'stop that program, or give Clew another port in its configuration (clew config shows where)';
  return { area, level: required ? 'problem' : 'warning', text, advice };
}

/** Whether the program that holds a port is Clew, by the script it runs: `node clew.mjs (pid 12)`. */
function isClew(holder: string): boolean {
  return /\bclew(\.mjs)?\b/.test(holder);
}
