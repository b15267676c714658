// A gateway's agents around test agents: settings, requests, what was measured and logged, and waiting for conditions.
import type { LogFields, Logger, Telemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { afterEach } from 'vitest';
import { AgentDirectory } from '../../src/agents/index.ts';
export { settingsFor } from './settings.ts';
import type {
  AgentLimitSettings,
  AgentExchange,
  AgentSettings,
  MemberSettings,
  RequestMetadata,
  RequestSummary,
  StartAgentCall,
} from '../../src/agents/index.ts';
import type { WholeMessage } from '../../src/agents/index.ts';
import { removeSocketPaths } from './script.ts';
import type { TestAgent } from './script.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
  removeSocketPaths();
});

/** Has something undone after the test. */
export function cleanUp(clean: () => unknown): void {
  cleanups.push(clean);
}

/** Stops the agent after the test. */
export async function during<Agent extends TestAgent>(starting: Promise<Agent>): Promise<Agent> {
  const agent = await starting;
  cleanUp(() => agent.stop());
  return agent;
}

/** Waits for a condition; generous, because machines are slow. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`waited 20 s in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** Log lines, kept. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

function recordingLogger(lines: LogLine[], own: LogFields = {}): Logger {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields: { ...own, ...fields } });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => recordingLogger(lines, { ...own, ...fields }),
  };
}

/** The agents of a gateway under test. */
export interface TestGateway {
  readonly directory: AgentDirectory;
  readonly lines: LogLine[];
  /** The value of a metric with these labels; undefined when there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined>;
  /** Begins to ask the agents about a request. */
  begin(options?: BeginOptions): AgentExchange;
}

/** How a request begins. */
export interface BeginOptions {
  readonly members?: readonly MemberSettings[];
  readonly metadata?: Partial<RequestMetadata>;
  readonly startCall?: StartAgentCall;
}

let requests = 0;

/** A gateway with these agents; gone after the test. */
export function gatewayWith(agents: readonly AgentSettings[], limits: AgentLimitSettings = {}): TestGateway {
  const lines: LogLine[] = [];
  const meter = new PrometheusMeter();
  const telemetry: Telemetry = { logger: recordingLogger(lines), meter };
  const directory = new AgentDirectory({ telemetry, proxyVersion: '0.0.0-test' });
  directory.start();
  directory.apply(agents, limits);
  cleanUp(() => directory.close(0));
  return {
    directory,
    lines,
    async metric(name, labels = {}) {
      const families = await meter.collect();
      const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
      const wanted = Object.entries(labels);
      return samples.find((sample) => wanted.every(([key, value]) => sample.labels[key] === value))?.value;
    },
    begin({ members, metadata, startCall } = {}) {
      const chain = directory.chain(members ?? agents.map(({ id }) => ({ agentId: id })));
      return chain.begin(
        {
          correlationId: `correlation-${++requests}`,
          requestId: '6f2f0f0e-4f3b-4a37-9d0a-0d2a4c1f7b11',
          clientIp: '192.0.2.7',
          clientPort: 40_123,
          protocol: 'HTTP/1.1',
          startUnixMs: 1_700_000_000_123,
          ...metadata,
        },
        startCall,
      );
    },
  };
}

/** The head of a request. */
export function requestHead(
  changes: Partial<Extract<WholeMessage, { kind: 'request_headers' }>> = {},
): Extract<WholeMessage, { kind: 'request_headers' }> {
  return {
    kind: 'request_headers',
    method: 'GET',
    uri: '/orders?id=7',
    headers: ['Host', 'shop.example', 'X-Twice', 'a', 'Accept', '*/*', 'x-twice', 'b'],
    hasBody: false,
    ...changes,
  };
}

/** The head of a response. */
export const responseHead: Extract<WholeMessage, { kind: 'response_headers' }> = {
  kind: 'response_headers',
  status: 200,
  headers: ['Content-Type', 'text/html'],
  hasBody: true,
};

/** How a request ended. */
export const summary: RequestSummary = {
  status: 200,
  durationMs: 12.4,
  requestBodyBytes: 3,
  responseBodyBytes: 5,
  upstreamAttempts: 1,
  upstreamId: 'orders',
};
