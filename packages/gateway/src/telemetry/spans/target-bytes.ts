import type { Attempt } from '../../proxy/exchange.ts';
import { int, text } from './keys.ts';
import { bytesOf } from './ready-bytes.ts';
import type { SpanBytes } from './span-bytes.ts';

/** Targets beyond this are written anew each time. */
const MAX_TARGETS = 1000;

/** What a target's address makes of a span. */
interface Target {
  readonly port: number;
  readonly tls: boolean;
  /** What `url.full` begins with. */
  readonly origin: string;
  /** `server.address` and `server.port`. */
  readonly server: Uint8Array;
}

/** The attributes that say where an attempt went. Hot path, guarded by `bench/gateway-telemetry`: made when a target is first seen. */
export class TargetBytes {
  readonly #byHost = new Map<string, Target[]>();
  #count = 0;

  add(out: SpanBytes, attempt: Attempt, path: string): void {
    const { origin, server } = this.#find(attempt);
    out.text(text['url.full'], origin, path);
    out.ready(server);
  }

  #find(attempt: Attempt): Target {
    const ofHost = this.#byHost.get(attempt.host);
    if (ofHost !== undefined) {
      for (let i = 0; i < ofHost.length; i++) {
        const target = ofHost[i]!;
        if (target.port === attempt.port && target.tls === attempt.tls) return target;
      }
    }
    return this.#make(attempt);
  }

  #make({ host, port, tls }: Attempt): Target {
    const target: Target = {
      port,
      tls,
      // Joined, because a text that was added up is slower to write.
      origin: [tls ? 'https://' : 'http://', host.includes(':') ? `[${host}]` : host, ':', port].join(''),
      server: bytesOf((out) => {
        out.text(text['server.address'], host);
        out.int(int['server.port'], port);
      }),
    };
    if (this.#count < MAX_TARGETS) {
      this.#count++;
      const ofHost = this.#byHost.get(host);
      if (ofHost === undefined) this.#byHost.set(host, [target]);
      else ofHost.push(target);
    }
    return target;
  }
}
