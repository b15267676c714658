import type { TargetConfig } from '../../config/model/upstream.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { PassiveHealth } from './passive-health.ts';

/** What probes found out; `unknown` without probes, or before the first result. */
export type ProbedHealth = 'healthy' | 'unhealthy' | 'unknown';

/** One server of an upstream, as it is known now. */
export class Target {
  readonly config: TargetConfig;
  /** `host:port` as configured. */
  readonly name: string;
  readonly pool: ConnectionPool;
  readonly passive: PassiveHealth;
  probed: ProbedHealth = 'unknown';
  lastError = '';
  /** Requests it has at the moment. */
  active = 0;
  /** Smooth weighted round robin's running value. */
  currentWeight = 0;
  /** A hash of the name, which decides ties for keys. */
  readonly hash: number;

  /** `onRecovery` is told when requests alone had the target avoided, and that is over. */
  constructor(config: TargetConfig, pool: ConnectionPool, onRecovery?: (target: Target, reason: string) => void) {
    this.config = config;
    this.passive = new PassiveHealth((reason) => onRecovery?.(this, reason));
    this.name = `${config.host}:${config.port}`;
    this.pool = pool;
    this.hash = hashText(this.name);
  }

  /** Whether probes let it be used; targets count as healthy until they are found not to be. */
  get usable(): boolean {
    return this.probed !== 'unhealthy';
  }
}

/** FNV-1a over UTF-16 units, finished so that similar texts differ in all bits. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** A 32-bit finaliser (murmur3's). */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
