import { stat } from 'node:fs/promises';
import type { AgentTransport } from '../../config/model/agent.ts';
import type { ConnectOptions, AgentConnection, AgentDialect } from '../dialects/connection.ts';
import { EnvelopeConnection } from '../dialects/envelope/connection.ts';
import { FramedConnection } from '../dialects/framed/connection.ts';
import { GrpcConnection } from '../dialects/grpc/connection.ts';
import { HttpConnection } from '../dialects/http/connection.ts';
import { shakeHands } from '../dialects/handshake.ts';
import type { AnsweredHandshake } from '../dialects/handshake.ts';
import { NumberedConnection } from '../dialects/numbered/connection.ts';
import { asAgentError } from '../errors.ts';
import type { AgentSettings } from '../settings.ts';
import { GatewayError } from '../../errors.ts';

/** Opens connections to one agent and remembers which dialect it speaks. */
export class Connector {
  readonly #settings: AgentSettings;
  #dialect: AgentDialect | undefined;
  /** Which file the socket was when the dialect was found out. */
  #socketIdentity = '';

  constructor(settings: AgentSettings) {
    this.#settings = settings;
  }

  /** The dialect, once known. */
  get dialect(): AgentDialect | undefined {
    return this.#dialect;
  }

  /** Opens a connection, past its handshake. Fails with `connect`, `refused` or `protocol`. */
  async open(options: ConnectOptions): Promise<AgentConnection> {
    const { transport } = this.#settings;
    const connection = await this.#openTransport(transport, options).catch((caught: unknown) => {
      throw asAgentError(caught, 'connect', `cannot connect to agent ${options.agentId}`);
    });
    this.#dialect = connection.dialect;
    return connection;
  }

  #openTransport(transport: AgentTransport, options: ConnectOptions): Promise<AgentConnection> {
    switch (transport.kind) {
      case 'unix':
        return this.#openSocket(transport.path, options);
      case 'grpc':
        return GrpcConnection.open(transport, options);
      case 'http':
        return HttpConnection.open(transport, options);
    }
  }

  /** Forgets the dialect: a connection that was opened in it ended before it was ever answered. */
  forget(): void {
    this.#dialect = undefined;
  }

  async #openSocket(path: string, options: ConnectOptions): Promise<AgentConnection> {
    const { protocolVersion } = this.#settings;
    if (protocolVersion === 1) return EnvelopeConnection.open(path, options);
    await this.#recognise(path);
    if (this.#dialect === 'envelope') return EnvelopeConnection.open(path, options);
    const patient = protocolVersion === 2 || this.#dialect !== undefined;
    const outcome = await shakeHands(path, patient, options);
    if (outcome.dialect !== 'none') return takeOver(outcome, options);
    if (protocolVersion === 2) {
      const message = `the agent did not answer the handshake (${outcome.why}), and protocol-version 2 rules out agents without one`;
      throw new GatewayError('refused', message);
    }
    return EnvelopeConnection.open(path, options);
  }

  /** A socket that is another file than before may belong to another agent. */
  async #recognise(path: string): Promise<void> {
    const { dev, ino, ctimeMs } = await stat(path).catch((cause: unknown) => {
      throw asAgentError(cause, 'connect', `cannot connect to ${path}`);
    });
    const identity = `${dev}:${ino}:${ctimeMs}`;
    if (identity !== this.#socketIdentity) this.forget();
    this.#socketIdentity = identity;
  }
}

/** Goes on with a connection whose handshake was answered, in the dialect of the answer. */
async function takeOver(outcome: AnsweredHandshake, options: ConnectOptions): Promise<AgentConnection> {
  const { greeting, reply } = outcome;
  try {
    if (outcome.dialect === 'framed') return await FramedConnection.open(greeting, reply, options);
    return NumberedConnection.open(greeting, reply, options);
  } catch (error) {
    greeting.close();
    throw error;
  }
}
