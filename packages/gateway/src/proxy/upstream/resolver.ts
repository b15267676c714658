import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** From this age on an answer is renewed in the background when it is used. */
const renewAfterMs = 15_000;
/** An answer older than this is not used any more. */
const maxAgeMs = 30_000;

interface Entry {
  addresses: readonly string[];
  /** `performance.now()` when the addresses were learnt. */
  learntMs: number;
  pending: Promise<readonly string[]> | undefined;
}

/** Asks for all addresses of a name, as the system orders them. */
export type AddressLookup = (host: string) => Promise<readonly string[]>;

const systemLookup: AddressLookup = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** Turns host names into addresses, no older than half a minute. Failures are not remembered. */
export class HostResolver {
  readonly #lookup: AddressLookup;
  readonly #entries = new Map<string, Entry>();

  constructor(lookup: AddressLookup = systemLookup) {
    this.#lookup = lookup;
  }

  /** The addresses of a host, at least one. Fails as the system's resolver does. */
  async resolve(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    let entry = this.#entries.get(host);
    if (entry === undefined)
      this.#entries.set(host, (entry = { addresses: [], learntMs: -Infinity, pending: undefined }));
    const ageMs = performance.now() - entry.learntMs;
    if (ageMs < renewAfterMs) return entry.addresses;
    const pending = (entry.pending ??= this.#renew(host, entry));
    if (ageMs >= maxAgeMs) return pending;
    // It will be asked again; until then what is known holds.
    pending.catch(() => {});
    return entry.addresses;
  }

  /** Whether an address still belongs to a host, as far as is known. */
  knows(host: string, address: string): boolean {
    const entry = this.#entries.get(host);
    return entry === undefined || entry.addresses.length === 0 || entry.addresses.includes(address);
  }

  async #renew(host: string, entry: Entry): Promise<readonly string[]> {
    try {
      const addresses = await this.#lookup(host);
      if (addresses.length === 0) throw new Error(`${host} has no address`);
      entry.addresses = addresses;
      entry.learntMs = performance.now();
      return addresses;
    } finally {
      entry.pending = undefined;
    }
  }
}
