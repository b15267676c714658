import type { Attempt } from '../../proxy/exchange.ts';
import { int, text } from './keys.ts';
import { isKnownMethod, stableMethod } from '../methods.ts';
import { bytesOf } from './ready-bytes.ts';
import { NAME, textStartAfter } from './text-start.ts';
import type { TextStart } from './text-start.ts';

/**
 * What attempts of one method at one target have in common. Hot path, guarded by `bench/gateway-telemetry`: all attributes but the path
 * are copied from here in a few pieces.
 */
export class TargetBytes {
  readonly method: string;
  readonly port: number;
  readonly tls: boolean;
  readonly upstreamId: string;
  /** The name. */
  readonly name: Uint8Array;
  /** `http.request.method`; then the start of `url.full`, up to the path. */
  readonly url: TextStart;
  readonly #host: string;
  readonly #byStatus: (Uint8Array | undefined)[] = [];

  constructor({ host, port, tls, upstreamId }: Attempt, method: string) {
    this.method = method;
    this.port = port;
    this.tls = tls;
    this.upstreamId = upstreamId;
    this.#host = host;
    this.name = bytesOf((out) => method !== '' && out.field(NAME, method));
    this.url = textStartAfter(
      bytesOf((out) => out.text(text['http.request.method'], stableMethod(method))),
      text['url.full'],
      `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    );
  }

  /** `server.address`, `server.port`, `http.response.status_code` and `peer.service`; 0 is no status. */
  ofStatus(status: number): Uint8Array {
    return this.#byStatus[status] ?? this.#makeStatus(status);
  }

  #makeStatus(status: number): Uint8Array {
    const made = bytesOf((out) => {
      out.text(text['server.address'], this.#host);
      out.int(int['server.port'], this.port);
      if (status > 0) out.int(int['http.response.status_code'], status);
      out.text(text['peer.service'], this.upstreamId);
    });
    if (status < MAX_STATUS) this.#byStatus[status] = made;
    return made;
  }
}

/** Responses have statuses below. */
const MAX_STATUS = 1000;

/** Beyond it they are made anew each time. */
const MAX_REMEMBERED = 5000;

/** Finds {@link TargetBytes}. */
export class TargetBytesCache {
  readonly #byHost = new Map<string, TargetBytes[]>();
  #count = 0;

  find(attempt: Attempt, method: string): TargetBytes {
    const { host, port, tls, upstreamId } = attempt;
    const ofHost = this.#byHost.get(host);
    if (ofHost === undefined) return this.#make(attempt, method, ofHost);
    for (let i = 0; i < ofHost.length; i++) {
      const found = ofHost[i]!;
      if (found.port === port && found.tls === tls && found.method === method && found.upstreamId === upstreamId) {
        return found;
      }
    }
    return this.#make(attempt, method, ofHost);
  }

  #make(attempt: Attempt, method: string, ofHost: TargetBytes[] | undefined): TargetBytes {
    const made = new TargetBytes(attempt, method);
    // Methods that clients make up come once, and would crowd out the others.
    if (this.#count === MAX_REMEMBERED || !isKnownMethod(method)) return made;
    this.#count++;
    if (ofHost === undefined) this.#byHost.set(attempt.host, [made]);
    else ofHost.push(made);
    return made;
  }
}
