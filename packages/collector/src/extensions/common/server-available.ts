import { formatDurationMs } from '@clew/base';
import type { HttpReply } from '@clew/net';

/** Says, as the reference's servers do, that this one is there since `sinceUnixMs`; 503 when it is undefined. */
export function serverAvailableReply(sinceUnixMs: number | undefined): HttpReply {
  const headers = { 'content-type': 'application/json' };
  if (sinceUnixMs === undefined) return { status: 503, headers, body: '{"status":"Server not available"}' };
  const body = {
    status: 'Server available',
    upSince: new Date(sinceUnixMs).toISOString(),
    uptime: formatDurationMs(Date.now() - sinceUnixMs),
  };
  return { status: 200, headers, body: JSON.stringify(body) };
}
