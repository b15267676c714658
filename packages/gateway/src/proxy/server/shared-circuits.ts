import { circuitMemory, forgetTrials } from '../../agents/index.ts';
import { compareConfigs } from '../../config/changes.ts';
import type { GatewayConfig } from '../../config/model.ts';

/** The circuits of a configuration as all threads have them, by the ids of upstreams and agents. Plain data that can be handed to a thread. */
export interface SharedCircuits {
  readonly upstreams: ReadonlyMap<string, SharedArrayBuffer>;
  readonly agents: ReadonlyMap<string, SharedArrayBuffer>;
}

/** Circuits for a configuration. What it leaves as it was under the one before keeps its circuit. */
export function sharedCircuits(
  config: GatewayConfig,
  before?: { readonly config: GatewayConfig; readonly circuits: SharedCircuits },
): SharedCircuits {
  const changes = before && compareConfigs(before.config, config);
  const memories = (kind: 'upstreams' | 'agents'): ReadonlyMap<string, SharedArrayBuffer> => {
    const kept = new Set(changes?.[kind].kept);
    const memory = (id: string): SharedArrayBuffer | undefined =>
      kept.has(id) ? before?.circuits[kind].get(id) : undefined;
    return new Map([...config[kind].keys()].map((id) => [id, memory(id) ?? circuitMemory()]));
  };
  return { upstreams: memories('upstreams'), agents: memories('agents') };
}

/** A thread is gone with the trials it had begun. */
export function forgetTrialsOf({ upstreams, agents }: SharedCircuits): void {
  for (const memory of [...upstreams.values(), ...agents.values()]) forgetTrials(memory);
}
