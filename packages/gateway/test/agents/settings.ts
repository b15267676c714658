import type { AgentSettings } from '../../src/agents/index.ts';

/** Settings of an agent with the defaults of the configuration, apart from a patient timeout. */
export function settingsFor(
  agent: { readonly address: string },
  changes: Partial<AgentSettings> = {},
  id = changes.id ?? 'auth',
): AgentSettings {
  return {
    id,
    transport: transportOf(agent.address),
    events: ['request_headers'],
    timeoutMs: 20_000,
    failureMode: 'open',
    circuitBreaker: { failureThreshold: 5, successThreshold: 2, openMs: 30_000, halfOpenMaxRequests: 1 },
    maxRequestBodyBytes: 1_048_576,
    maxResponseBodyBytes: 1_048_576,
    requestBodyMode: { kind: 'buffer' },
    responseBodyMode: { kind: 'buffer' },
    chunkTimeoutMs: 20_000,
    maxConcurrentCalls: 100,
    protocolVersion: 'auto',
    connections: 4,
    ...changes,
  };
}

function transportOf(address: string): AgentSettings['transport'] {
  if (address.startsWith('/')) return { kind: 'unix', path: address };
  return { kind: address.startsWith('http') ? 'http' : 'grpc', address };
}
