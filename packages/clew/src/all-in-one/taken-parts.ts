import { parseListenEndpoint } from '@clew/net';
import { nodeAt } from '@clew/pipeline';
import type { MapNode } from '@clew/pipeline';
import { builtInSource } from './built-in-config.ts';
import { optionalParts, optionalPartNames } from './ports.ts';
import type { OptionalPart } from './ports.ts';
import { tryBind } from './try-bind.ts';

/** A part whose port is taken, and what to say about that. */
export interface TakenPart {
  readonly part: OptionalPart;
  readonly warning: string;
}

/**
 * The optional parts whose ports are taken. Only endpoints that the built-in configuration chose count: one that the user wrote must bind
 * or the start fails.
 */
export async function takenParts(config: MapNode): Promise<readonly TakenPart[]> {
  const found = await Promise.all(optionalPartNames.map((part) => takenPart(config, part)));
  return found.filter((taken) => taken !== undefined);
}

async function takenPart(config: MapNode, part: OptionalPart): Promise<TakenPart | undefined> {
  const { path, transport, instead } = optionalParts[part];
  const node = nodeAt(config, path);
  if (node?.kind !== 'scalar' || node.position.source !== builtInSource) return undefined;
  const endpoint = parseListenEndpoint(String(node.value));
  if (endpoint.transport === 'unix') return undefined;
  const failure = await tryBind(transport, endpoint.host, endpoint.port);
  if (failure === undefined) return undefined;
  const port = transport === 'udp' ? `UDP port ${endpoint.port}` : `port ${endpoint.port}`;
  const why = failure === 'EADDRINUSE' ? 'is taken' : `cannot be bound (${failure})`;
  return { part, warning: `${port} ${why}, so ${instead}` };
}
