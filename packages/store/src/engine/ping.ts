import { get as httpGet } from 'node:http';
import type { RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';

const pingTimeoutMs = 5_000;

/** Whether an engine answers at all: ClickHouse's `/ping`, which needs no credentials and no session. Never fails. */
export function ping(secure: boolean, where: RequestOptions): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const request = (secure ? httpsGet : httpGet)({ ...where, path: '/ping', timeout: pingTimeoutMs }, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  request.once('timeout', () => request.destroy());
  request.once('error', () => resolve(false));
  request.once('close', () => resolve(false));
  return promise;
}
