import { eventsFromNumbers } from '../../message.ts';
import type { AgentDescription, AgentHealth } from '../connection.ts';
import { asObject, listAt, numberAt, objectAt, textAt } from '../json-fields.ts';
import type { JsonObject } from '../json-fields.ts';

/** What the answer to the handshake tells. Fails with `protocol`. */
export function describeAgent(reply: JsonObject): AgentDescription {
  const capabilities = objectAt(reply, 'capabilities') ?? {};
  const features = objectAt(capabilities, 'features') ?? {};
  const limits = objectAt(capabilities, 'limits') ?? {};
  const numbers = listAt(capabilities, 'supported_events').filter((entry) => typeof entry === 'number');
  return describe({
    name: textAt(capabilities, 'name'),
    version: textAt(capabilities, 'version'),
    events: eventsFromNumbers(numbers),
    maxBodyBytes: numberAt(limits, 'max_body_size'),
    preferredChunkBytes: numberAt(limits, 'preferred_chunk_size'),
    maxConcurrentCalls: numberAt(limits, 'max_concurrency') || numberAt(features, 'concurrent_requests'),
  });
}

/** Leaves out what is not known; 0 means "no preference". */
export function describe(facts: {
  readonly [Key in keyof AgentDescription]: AgentDescription[Key] | undefined;
}): AgentDescription {
  const { name, version, events, maxBodyBytes, preferredChunkBytes, maxConcurrentCalls } = facts;
  return {
    ...(name ? { name } : {}),
    ...(version ? { version } : {}),
    ...(events === undefined ? {} : { events }),
    ...(maxBodyBytes ? { maxBodyBytes } : {}),
    ...(preferredChunkBytes ? { preferredChunkBytes } : {}),
    ...(maxConcurrentCalls ? { maxConcurrentCalls } : {}),
  };
}

const states = ['healthy', 'degraded', 'draining', 'unhealthy'] as const;

/** The state behind the numbers 1 to 4; anything else counts as healthy, for the agent answers. */
export function healthOfNumber(number: number): AgentHealth['state'] {
  return states[number - 1] ?? 'healthy';
}

/** Reads a health report; the state is a number, a word, or an object tagged by `status`. */
export function readHealth(report: JsonObject): AgentHealth {
  const message = textAt(report, 'message');
  return { state: readState(report['state']), ...(message === undefined ? {} : { message }) };
}

function readState(value: unknown): AgentHealth['state'] {
  if (typeof value === 'number') return healthOfNumber(value);
  const word = typeof value === 'string' ? value : textAt(asObject(value, '"state"'), 'status');
  return states.find((state) => state === word) ?? 'healthy';
}
