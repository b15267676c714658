import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { bytesOf } from './ready-bytes.ts';
import type { OriginBytes, SpanBytes } from './span-bytes.ts';
import { AttributeTag, intHead, textStart } from './text-start.ts';

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

/** Resource and instrumentation scope of the gateway's spans. */
export function gatewayOrigin(serviceName: string, identity: GatewayIdentity): OriginBytes {
  return {
    resource: bytesOf((out) => writeResource(out, serviceName, identity)),
    scope: bytesOf((out) => writeScope(out, identity)),
  };
}

function writeResource(
  out: SpanBytes,
  serviceName: string,
  { version, instanceId, hostName, pid }: GatewayIdentity,
): void {
  const { RESOURCE } = AttributeTag;
  const opened = out.open(0x0a);
  out.text(textStart(RESOURCE, 'service.name'), serviceName);
  out.text(textStart(RESOURCE, 'service.version'), version);
  out.text(textStart(RESOURCE, 'service.instance.id'), instanceId);
  out.text(textStart(RESOURCE, 'telemetry.sdk.name'), SDK_NAME);
  out.text(textStart(RESOURCE, 'telemetry.sdk.language'), 'nodejs');
  out.text(textStart(RESOURCE, 'telemetry.sdk.version'), version);
  out.text(textStart(RESOURCE, 'host.name'), hostName);
  out.int(intHead(RESOURCE, 'process.pid'), pid);
  out.close(opened);
}

function writeScope(out: SpanBytes, { version }: GatewayIdentity): void {
  const opened = out.open(0x0a);
  out.field(0x0a, SDK_NAME);
  out.field(0x12, version);
  out.close(opened);
}

const SDK_NAME = 'clew-gateway';
