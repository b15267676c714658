import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { PlainResource, PlainScope } from '@clew/model';

/** Who sends the spans. */
export interface GatewayIdentity {
  readonly version: string;
  /** Stable while the process lives; in the access log it is `instance_id`. */
  readonly instanceId: string;
  readonly hostName: string;
  readonly pid: number;
}

/** The identity of this process. */
export function thisProcess(version: string): GatewayIdentity {
  return { version, instanceId: randomUUID(), hostName: hostname(), pid: process.pid };
}

/** The resource of the gateway's spans. */
export function gatewayResource(
  serviceName: string,
  { version, instanceId, hostName, pid }: GatewayIdentity,
): PlainResource {
  return {
    attributes: [
      { key: 'service.name', value: serviceName },
      { key: 'service.version', value: version },
      { key: 'service.instance.id', value: instanceId },
      { key: 'telemetry.sdk.name', value: 'clew-gateway' },
      { key: 'telemetry.sdk.language', value: 'nodejs' },
      { key: 'telemetry.sdk.version', value: version },
      { key: 'host.name', value: hostName },
      { key: 'process.pid', value: BigInt(pid) },
    ],
    droppedAttributes: 0,
    schemaUrl: '',
    entityRefs: new Uint8Array(0),
  };
}

/** The instrumentation scope of the gateway's spans. */
export function gatewayScope(version: string): PlainScope {
  return { name: 'clew-gateway', version, attributes: [], droppedAttributes: 0, schemaUrl: '' };
}
