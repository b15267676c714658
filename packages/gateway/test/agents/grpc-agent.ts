// An agent that speaks gRPC, made of grpc-js and protobufjs.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { agentProto } from './agent-proto.ts';
import { allow, pause, remember } from './script.ts';
import type { Script, SeenEvent, StartOptions, TestAgent, Verdict } from './script.ts';

/** What the agent says about itself. */
export interface GrpcAgentOptions extends StartOptions {
  readonly declines?: string;
  /** Default 2. */
  readonly protocolVersion?: number;
  readonly supportedEvents?: readonly number[];
  readonly credentials?: ServerCredentials;
  /** Offers the service under another name. */
  readonly service?: string;
}

const root = protobuf.parse(agentProto, { keepCase: true }).root;
const toAgent = root.lookupType('zentinel.agent.v2.ProxyToAgent');
const toProxy = root.lookupType('zentinel.agent.v2.AgentToProxy');

type Stream = ServerDuplexStream<Buffer, Buffer>;

/** Starts the agent. */
export async function startGrpcAgent(options: GrpcAgentOptions = {}): Promise<TestAgent> {
  const seen: SeenEvent[] = [];
  const agent = { script: options.script ?? ((): Verdict => allow) };
  const open = new Set<Stream>();
  let total = 0;
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const bytes = (value: Buffer): Buffer => value;
  const definition = {
    path: `/${options.service ?? 'zentinel.agent.v2.AgentServiceV2'}/ProcessStream`,
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  const handle = (stream: Stream): void => {
    open.add(stream);
    const connection = ++total;
    const forget = (): void => void open.delete(stream);
    stream.on('close', forget).on('cancelled', forget).on('error', forget);
    stream.on('end', () => stream.end());
    stream.on('data', (message: Buffer) => {
      const decoded = toAgent.toObject(toAgent.decode(message), { longs: Number, bytes: Buffer, oneofs: true });
      const type = String(decoded['message']);
      const payload = decoded[type] as Record<string, unknown>;
      const event = { type, payload, connection };
      remember(seen, event, options);
      void answer(stream, event, agent.script, options);
    });
  };
  server.addService({ ProcessStream: definition }, { ProcessStream: handle });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = options.credentials ?? ServerCredentials.createInsecure();
    server.bindAsync(options.address ?? '127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    address: `127.0.0.1:${port}`,
    seen,
    get script() {
      return agent.script;
    },
    set script(script: Script) {
      agent.script = script;
    },
    get connections() {
      return { open: open.size, total };
    },
    cut: () => {
      for (const stream of open) stream.emit('error', { code: 14, details: 'the agent is gone' });
    },
    stop: async () => server.forceShutdown(),
  };
}

function send(stream: Stream, message: Record<string, unknown>): void {
  stream.write(Buffer.from(toProxy.encode(toProxy.fromObject(message)).finish()));
}

async function answer(stream: Stream, event: SeenEvent, script: Script, options: GrpcAgentOptions): Promise<void> {
  if (event.type === 'handshake') return send(stream, { handshake: handshake(options) });
  if (event.type === 'ping') {
    const { sequence, timestamp_ms } = event.payload;
    return send(stream, { pong: { sequence, ping_timestamp_ms: timestamp_ms, timestamp_ms } });
  }
  if (event.type === 'cancel' || event.type === 'request_complete' || event.type === 'configure') return;
  const verdict = script(event);
  await pause(verdict.delayMs);
  if (verdict.crash === true) stream.emit('error', { code: 14, details: 'the agent crashed' });
  else if (verdict.raw !== undefined) stream.write(Buffer.from(verdict.raw));
  else if (verdict.silent !== true) send(stream, { response: response(event, verdict) });
}

function handshake({ declines, supportedEvents, protocolVersion = 2 }: GrpcAgentOptions): Record<string, unknown> {
  return {
    protocol_version: protocolVersion,
    success: declines === undefined,
    error: declines,
    capabilities: {
      protocol_version: 2,
      name: 'grpc test agent',
      version: '1.0',
      supported_events: supportedEvents ?? [],
    },
  };
}

function response(event: SeenEvent, verdict: Verdict): Record<string, unknown> {
  const metadata = event.payload['metadata'] as Record<string, unknown> | undefined;
  const { block, redirect, challenge } = verdict;
  const operations = (changes: Verdict['requestHeaders'] = []): object[] =>
    changes.map(({ operation, name, value }) => ({ [operation]: operation === 'remove' ? name : { name, value } }));
  const headers = Object.entries(block?.headers ?? {}).map(([name, value]) => ({ name, value }));
  return {
    correlation_id: metadata?.['correlation_id'] ?? event.payload['correlation_id'],
    ...(block ? { block: { ...block, headers } } : redirect ? { redirect } : challenge ? { challenge } : { allow: {} }),
    request_headers: operations(verdict.requestHeaders),
    response_headers: operations(verdict.responseHeaders),
    audit: verdict.audit,
    needs_more: verdict.needsMore ?? false,
  };
}
