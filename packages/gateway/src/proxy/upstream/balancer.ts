// Hot path: chooses a target for every attempt. Guarded by bench/gateway.
import type { LoadBalancing } from '../../config/model/upstream.ts';
import { hashText, mix } from './target.ts';
import type { Target } from './target.ts';

/** What keys are made of. */
export interface BalancerRequest {
  readonly clientIp: string;
  readonly path: string;
}

/** Chooses one of the targets, of which there is at least one. */
export type Balancer = (targets: readonly Target[], request: BalancerRequest) => Target;

/** The way of choosing a configuration names. Each has a state of its own. */
export function balancerFor(kind: LoadBalancing): Balancer {
  switch (kind) {
    case 'round_robin':
      return roundRobin();
    case 'weighted':
      return smoothWeighted;
    case 'least_connections':
      return leastConnections();
    case 'random':
      return weightedRandom;
    case 'ip_hash':
      return (targets, { clientIp }) => rendezvous(targets, clientIp);
    case 'consistent_hash':
      return (targets, { path }) => rendezvous(targets, path);
  }
}

function roundRobin(): Balancer {
  let next = 0;
  return (targets) => {
    next = (next + 1) % 0x4000_0000;
    return targets[next % targets.length]!;
  };
}

/** Spreads the turns of heavy targets instead of giving them in a row. */
function smoothWeighted(targets: readonly Target[]): Target {
  let total = 0;
  let best = targets[0]!;
  for (const target of targets) {
    const { weight } = target.config;
    total += weight;
    target.currentWeight += weight;
    if (target.currentWeight > best.currentWeight) best = target;
  }
  best.currentWeight -= total;
  return best;
}

function leastConnections(): Balancer {
  let start = 0;
  return (targets) => {
    // Among equals everyone gets a turn.
    start = (start + 1) % targets.length;
    let best = targets[start]!;
    for (let offset = 1; offset < targets.length; offset++) {
      const target = targets[(start + offset) % targets.length]!;
      if (target.active * best.config.weight < best.active * target.config.weight) best = target;
    }
    return best;
  };
}

function weightedRandom(targets: readonly Target[]): Target {
  let total = 0;
  for (const { config } of targets) total += config.weight;
  let left = Math.random() * total;
  for (const target of targets) {
    left -= target.config.weight;
    if (left < 0) return target;
  }
  return targets[targets.length - 1]!;
}

/**
 * Highest random weight: every key ranks all targets, so that a target that leaves takes only its own keys along. Weights
 * by the logarithm method.
 */
function rendezvous(targets: readonly Target[], key: string): Target {
  const keyHash = hashText(key);
  let best = targets[0]!;
  let bestScore = -Infinity;
  for (const target of targets) {
    const uniform = (mix(keyHash ^ target.hash) + 1) / 0x1_0000_0001;
    const score = -target.config.weight / Math.log(uniform);
    if (score > bestScore) {
      bestScore = score;
      best = target;
    }
  }
  return best;
}
