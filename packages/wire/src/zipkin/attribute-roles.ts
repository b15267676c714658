import { CARRIER_PREFIX, Carrier } from '@clew/model';
import type { StringTable } from '@clew/model';
import { ABSENT_START, EndpointKey, TagKey, isText } from './special-tags.ts';

/** Which field of a Zipkin span a span attribute may be; others are tags. */
export const Role = Object.freeze({
  TAG: 0,
  ERROR: 1,
  /** A carrier of other facts: it is never written. */
  CARRIER: 2,
  SHARED: 3,
  DEBUG: 4,
  LC: 5,
  LOCAL_IPV4: 6,
  PEER_IPV4: 7,
  LOCAL_ADDRESS: 8,
  OLD_LOCAL_ADDRESS: 9,
  LOCAL_PORT: 10,
  PEER_SERVICE: 11,
  OLD_PEER_SERVICE: 12,
  PEER_ADDRESS: 13,
  OLD_PEER_ADDRESS: 14,
  PEER_PORT: 15,
  ABSENT_START: 16,
} as const);
export type Role = (typeof Role)[keyof typeof Role];

/** One more than the highest role. */
export const ROLE_END = 17;

const ROLE_OF_KEY: Readonly<Record<string, Role>> = {
  [TagKey.ERROR]: Role.ERROR,
  [Carrier.ZIPKIN_SHARED]: Role.SHARED,
  [Carrier.ZIPKIN_DEBUG]: Role.DEBUG,
  [Carrier.ZIPKIN_LC]: Role.LC,
  [Carrier.ZIPKIN_LOCAL_IPV4]: Role.LOCAL_IPV4,
  [Carrier.ZIPKIN_PEER_IPV4]: Role.PEER_IPV4,
  [EndpointKey.LOCAL_ADDRESS]: Role.LOCAL_ADDRESS,
  [EndpointKey.OLD_LOCAL_ADDRESS]: Role.OLD_LOCAL_ADDRESS,
  [EndpointKey.LOCAL_PORT]: Role.LOCAL_PORT,
  [EndpointKey.PEER_SERVICE]: Role.PEER_SERVICE,
  [EndpointKey.OLD_PEER_SERVICE]: Role.OLD_PEER_SERVICE,
  [EndpointKey.PEER_ADDRESS]: Role.PEER_ADDRESS,
  [EndpointKey.OLD_PEER_ADDRESS]: Role.OLD_PEER_ADDRESS,
  [EndpointKey.PEER_PORT]: Role.PEER_PORT,
  [ABSENT_START]: Role.ABSENT_START,
};

/** The role of each string of a batch's dictionary as the key of a span attribute. */
export function rolesOf(strings: StringTable): Uint8Array {
  const roles = new Uint8Array(strings.count);
  for (let index = 1; index < strings.count; index++) {
    const start = strings.start(index);
    const isCarrier =
      strings.ends[index]! - start > CARRIER_PREFIX.length &&
      isText(strings.bytes, start, CARRIER_PREFIX.length, CARRIER_PREFIX);
    if (isCarrier) roles[index] = Role.CARRIER;
  }
  for (const [key, role] of Object.entries(ROLE_OF_KEY)) {
    const index = strings.find(key);
    if (index > 0) roles[index] = role;
  }
  return roles;
}
