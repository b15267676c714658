import { defaultWriteIdleTimeoutMs } from '../limits.ts';
import type { ConnectionSettings } from './types.ts';

/** Settings with every default filled in. */
export type ResolvedConnectionSettings = Required<ConnectionSettings>;

/** Fills in defaults; what each means stands with `ConnectionSettings`. */
export function resolveConnectionSettings(settings: ConnectionSettings = {}): ResolvedConnectionSettings {
  return {
    maxConnections: settings.maxConnections ?? 10_000,
    firstByteTimeoutMs: settings.firstByteTimeoutMs ?? 60_000,
    headerTimeoutMs: settings.headerTimeoutMs ?? 60_000,
    requestTimeoutMs: settings.requestTimeoutMs ?? 0,
    idleTimeoutMs: settings.idleTimeoutMs ?? 60_000,
    writeIdleTimeoutMs: settings.writeIdleTimeoutMs ?? defaultWriteIdleTimeoutMs,
    keepAlive: settings.keepAlive ?? true,
    maxHeaderBytes: settings.maxHeaderBytes ?? 16 * 1024,
    maxConcurrentStreams: settings.maxConcurrentStreams || 0xffff_ffff,
    streamResetBurst: settings.streamResetBurst ?? 1000,
    streamResetsPerSecond: settings.streamResetsPerSecond ?? 33,
    maxInFlightBodyBytes: settings.maxInFlightBodyBytes ?? 512 * 1024 * 1024,
    keepalive: settings.keepalive ?? {},
  };
}
