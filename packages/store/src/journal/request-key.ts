import { hash } from 'node:crypto';

const tenantHashes = new Map<string, Uint8Array>();
const MAX_CACHED_TENANTS = 1024;

/**
 * The 16 bytes under which a request is remembered: the hash of its body mixed with the tenant's, so that two tenants who send the same bytes
 * are two requests. Without 32 hex digits in `bodyHash` there is no key.
 */
export function requestKey(tenant: string, bodyHash: string): Uint8Array | undefined {
  const key = Buffer.from(bodyHash, 'hex');
  if (key.length !== 16 || bodyHash.length !== 32) return undefined;
  const mix = tenantHash(tenant);
  for (let i = 0; i < 16; i++) key[i] = key[i]! ^ mix[i]!;
  return key;
}

function tenantHash(tenant: string): Uint8Array {
  const known = tenantHashes.get(tenant);
  if (known !== undefined) return known;
  if (tenantHashes.size >= MAX_CACHED_TENANTS) tenantHashes.clear();
  const made = hash('sha256', Buffer.from(tenant), 'buffer');
  tenantHashes.set(tenant, made);
  return made;
}
