import { readFileSync } from 'node:fs';

/**
 * Datagrams the kernel dropped on sockets bound to this port because their buffer was full, since they were opened: the last column of
 * /proc/net/udp and udp6 (proc(5)). Undefined where there is no such table. Sockets of other addresses on the port count too.
 */
export function kernelDrops(port: number, readTable: (path: string) => string = readText): number | undefined {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops: number | undefined;
  for (const path of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const line of readTable(path).split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(wanted) !== true) continue;
      drops = (drops ?? 0) + Number(columns.at(-1));
    }
  }
  return drops;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // No such table on this system: the kernel's drops are then unknown, which is not none.
  }
}
