import { GrpcClient, NetError } from '@clew/net';
import type { GrpcStream, GrpcStreamListener } from '@clew/net';
import type { AgentTransport } from '../../../config/model/agent.ts';
import { asAgentError } from '../../errors.ts';
import type { AgentMessage, CancelReason, RequestSummary } from '../../message.ts';
import { connectTimeoutMs, maxCallsPerConnection, maxUnreadBytes, pauseLimitMs } from '../../settings.ts';
import type {
  AgentConnection,
  AgentDescription,
  CallContext,
  ConnectOptions,
  ConnectionListener,
  ReceivedAnswer,
} from '../connection.ts';
import { FlowGate } from '../flow-gate.ts';
import { LateAnswers } from '../late-answers.ts';
import { PendingCalls, abandonedError } from '../pending-calls.ts';
import { PongWaiters } from '../pong.ts';
import { decodeAgentMessage } from './decode.ts';
import type { AgentToProxy } from './decode.ts';
import {
  encodeCancel,
  encodeComplete,
  encodeConfigure,
  encodeEvent,
  encodeHandshake,
  encodePing,
  maxMessageBytes,
} from './encode.ts';
import { GatewayError } from '../../../errors.ts';
import type { AgentError } from '../../errors.ts';

const processStream = '/zentinel.agent.v2.AgentServiceV2/ProcessStream';

/** A gRPC address and its TLS. */
export type GrpcTransport = Extract<AgentTransport, { readonly kind: 'grpc' }>;

/** A connection of the dialect `grpc`: one stream, on which answers name the request they belong to. */
export class GrpcConnection implements AgentConnection, GrpcStreamListener {
  readonly dialect = 'grpc';
  description: AgentDescription = {};
  readonly #client: GrpcClient;
  readonly #listener: ConnectionListener;
  readonly #calls = new PendingCalls<string>();
  readonly #pongs = new PongWaiters();
  readonly #gate = new FlowGate(pauseLimitMs);
  readonly #late = new LateAnswers();
  #stream: GrpcStream | undefined;
  #greeted: PromiseWithResolvers<AgentDescription> | undefined = Promise.withResolvers<AgentDescription>();
  #closed = false;
  #proven = false;
  #pings = 0;

  private constructor(client: GrpcClient, listener: ConnectionListener) {
    this.#client = client;
    this.#listener = listener;
  }

  /** Connects, shakes hands and hands the agent its configuration. Fails with `connect`, `refused` or `protocol`. */
  static async open(transport: GrpcTransport, options: ConnectOptions): Promise<GrpcConnection> {
    const connection = new GrpcConnection(grpcClient(transport), options.listener);
    try {
      await connection.#begin(options);
    } catch (caught) {
      connection.close();
      throw asAgentError(caught, 'connect', `cannot connect to ${transport.address}`);
    }
    return connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get proven(): boolean {
    return this.#proven;
  }

  get maxCalls(): number {
    return Math.min(maxCallsPerConnection, this.description.maxConcurrentCalls ?? maxCallsPerConnection);
  }

  call(message: AgentMessage, context: CallContext): Promise<ReceivedAnswer> {
    const key = context.metadata.correlationId;
    const send = (): void => this.#send(encodeEvent(message, context));
    return this.#calls.add(key, () => this.#gate.whenOpen(key, send, (error) => this.#calls.fail(key, error)));
  }

  abandon({ metadata: { correlationId } }: CallContext, reason: CancelReason): void {
    this.#gate.forget(correlationId);
    if (!this.#calls.fail(correlationId, abandonedError()) || this.#closed) return;
    this.#late.expect(correlationId);
    this.#sendOrFail(encodeCancel(correlationId, reason));
  }

  async finish(context: CallContext, summary: RequestSummary): Promise<void> {
    if (this.#closed) return;
    this.#late.expect(context.metadata.correlationId);
    this.#sendOrFail(encodeComplete(context, summary));
  }

  forgotten({ metadata: { correlationId } }: CallContext): Promise<void> {
    return this.#late.settled(correlationId);
  }

  ping(): Promise<void> {
    return this.#pongs.wait(() => this.#send(encodePing(++this.#pings)));
  }

  close(): void {
    this.#end(new GatewayError('closed', 'the connection to the agent was closed by the gateway'));
  }

  onMessage(bytes: Uint8Array): void {
    if (!this.#closed) this.#on(decodeAgentMessage(bytes), bytes.length);
  }

  onEnd(error: Error | undefined): void {
    if (error instanceof GatewayError) this.#end(error);
    else this.#end(new GatewayError('connection_lost', endingText(error), { cause: error }));
  }

  async #begin(options: ConnectOptions): Promise<void> {
    const greeted = this.#greeted!;
    const late = new GatewayError('connect', `the agent did not answer the handshake within ${connectTimeoutMs} ms`);
    const timer = setTimeout(() => greeted.reject(late), connectTimeoutMs);
    // Awaited below; a failure that comes before that must not count as unhandled.
    greeted.promise.catch(() => undefined);
    try {
      this.#stream = await this.#client.openStream(processStream, this);
      this.#send(encodeHandshake(options));
      this.description = await greeted.promise;
      this.#greeted = undefined;
      if (options.configJson !== undefined) this.#send(encodeConfigure(options.configJson));
    } finally {
      clearTimeout(timer);
    }
  }

  #on(message: AgentToProxy, bytes: number): void {
    switch (message.kind) {
      case 'handshake':
        return this.#onHandshake(message);
      case 'response':
        return this.#onResponse(message, bytes);
      case 'health':
        return this.#listener.onHealth(message.health);
      case 'flow_control':
        if (message.action === 1) this.#gate.shut(message.correlationId);
        else if (message.action === 2) this.#gate.open(message.correlationId);
        return;
      case 'pong':
        return this.#pongs.answer();
      case 'log':
        return this.#listener.onNotice('An agent logs.', { agentLevel: message.level, agentMessage: message.message });
      case 'config_update':
        return this.#listener.onNotice('An agent asks for a change of its configuration, which is not supported.');
      case 'other':
        return;
    }
  }

  #onHandshake({ success, version, error, agent }: Extract<AgentToProxy, { readonly kind: 'handshake' }>): void {
    if (!success)
      throw new GatewayError('refused', `the agent declined the handshake: ${error ?? 'it gave no reason'}`);
    if (version > 2) {
      throw new GatewayError('refused', `the agent chose protocol version ${version}, but only 2 and 1 were offered`);
    }
    this.#greeted?.resolve(agent);
  }

  #onResponse({ correlationId, answer }: Extract<AgentToProxy, { readonly kind: 'response' }>, bytes: number): void {
    this.#proven = true;
    if (this.#calls.answer(correlationId, { answer, answerBytes: bytes })) return;
    this.#late.came(correlationId);
    // A configuration has no name, and neither has what an agent says about it.
    if (correlationId === '' && answer.decision.kind !== 'allow') {
      throw new GatewayError('refused', `the agent declined its configuration (${answer.decision.kind})`);
    }
  }

  #send(message: Uint8Array): void {
    if (this.#closed || this.#stream === undefined)
      throw new GatewayError('connection_lost', 'the stream to the agent is closed');
    const { unsentBytes } = this.#stream;
    if (unsentBytes > maxUnreadBytes) {
      const text = `the agent has not read ${unsentBytes} bytes sent to it; at most ${maxUnreadBytes} are kept`;
      throw new GatewayError('queue_full', text);
    }
    try {
      this.#stream.send(message);
    } catch (caught) {
      throw asAgentError(caught, 'connection_lost', 'cannot send to the agent');
    }
  }

  #sendOrFail(message: Uint8Array): void {
    try {
      this.#send(message);
    } catch (caught) {
      this.#end(asAgentError(caught, 'protocol', 'cannot send to the agent'));
    }
  }

  #end(error: AgentError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gate.clear();
    this.#late.clear();
    this.#greeted?.reject(error);
    this.#calls.failAll(error);
    this.#pongs.fail(error);
    this.#stream?.cancel();
    this.#client.close().then(
      () => this.#listener.onClosed(error),
      () => this.#listener.onClosed(error),
    );
  }
}

function grpcClient({ address, tls }: GrpcTransport): GrpcClient {
  const endpoint = /^[a-z]+:\/\//.test(address) ? address : `${tls === undefined ? 'http' : 'https'}://${address}`;
  const { sni, insecureSkipVerify = false, caCertFile, clientCertFile, clientKeyFile } = tls ?? {};
  return new GrpcClient({
    endpoint,
    maxReceiveBytes: maxMessageBytes,
    connectTimeoutMs,
    tls: {
      insecureSkipVerify,
      ...(sni === undefined ? {} : { serverNameOverride: sni }),
      ...(caCertFile === undefined ? {} : { caFile: caCertFile }),
      ...(clientCertFile === undefined ? {} : { certFile: clientCertFile }),
      ...(clientKeyFile === undefined ? {} : { keyFile: clientKeyFile }),
    },
  });
}

/** gRPC's code for a method that does not exist. */
const unimplemented = 12;

function endingText(error: Error | undefined): string {
  if (error instanceof NetError && error.status?.code === unimplemented) {
    return `the server does not offer ${processStream.slice(1)}: it is no agent of protocol version 2`;
  }
  return `the stream to the agent ended: ${error?.message ?? 'the agent closed it'}`;
}
