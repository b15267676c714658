import { describe, expect, it } from 'vitest';
import { InFlight } from '../flow/gateway-context.ts';
import { ConnectionCounter } from './connections.ts';
import { gatewayLimits } from './limits.ts';
import { SharedTally, forgetThread, sharedTallyMemory } from './shared-tally.ts';

const limits = gatewayLimits(
  {
    maxHeaderBytes: 1,
    maxHeaderCount: 1,
    maxHeaderNameBytes: 1,
    maxHeaderValueBytes: 1,
    maxTargetBytes: 1,
    maxBodyBytes: 1,
    maxBodyBufferBytes: 1,
    maxConnectionsPerClient: 3,
    maxTotalConnections: 5,
    maxInFlightRequests: 1,
    maxAgentResponseBytes: 1,
    maxAgentQueueDepth: 1,
  },
  5,
);

describe('limits over several threads', () => {
  const threads = () => {
    const memory = sharedTallyMemory(2);
    const tallies = [new SharedTally(memory, 0), new SharedTally(memory, 1)] as const;
    return {
      memory,
      tallies,
      counters: tallies.map((tally) => new ConnectionCounter(tally)) as [ConnectionCounter, ConnectionCounter],
    };
  };

  it('count a client’s connections together', () => {
    const {
      counters: [a, b],
    } = threads();
    expect([a, b, a].map((counter) => counter.admit('192.0.2.1', limits))).toEqual([undefined, undefined, undefined]);
    expect(b.admit('192.0.2.1', limits)).toContain('max-connections-per-client');
    expect(b.admit('192.0.2.2', limits)).toBeUndefined();
    a.release('192.0.2.1');
    expect(b.admit('192.0.2.1', limits)).toBeUndefined();
  });

  it('count all connections together', () => {
    const {
      counters: [a, b],
    } = threads();
    for (let index = 0; index < 5; index++)
      expect((index % 2 ? a : b).admit(`192.0.2.${index}`, limits)).toBeUndefined();
    for (const counter of [a, b]) expect(counter.admit('192.0.2.9', limits)).toContain('max-');
    expect([a.open, b.open]).toEqual([2, 3]);
  });

  it('count requests in progress together', () => {
    const { tallies } = threads();
    const [a, b] = tallies.map((tally) => new InFlight(tally)) as [InFlight, InFlight];
    const request = { inFlightSlot: -1, deadlineMs: Infinity, onDeadline() {}, kill() {} };
    a.add(request);
    expect([a.size, a.everywhere, b.size, b.everywhere]).toEqual([1, 1, 0, 1]);
    a.delete(request);
    expect(b.everywhere).toBe(0);
  });

  it('forget a thread that is gone', () => {
    const {
      memory,
      counters: [a, b],
    } = threads();
    for (let index = 0; index < 3; index++) a.admit('192.0.2.1', limits);
    expect(b.admit('192.0.2.1', limits)).toBeDefined();
    forgetThread(memory, 0);
    expect(b.admit('192.0.2.1', limits)).toBeUndefined();
  });
});
