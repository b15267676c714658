import { connect } from 'node:net';
import { HttpClient, NetError } from '@clew/net';
import type { HttpClientResponse } from '@clew/net';
import type { AgentTransport } from '../../../config/model/agent.ts';
import { asAgentError } from '../../errors.ts';
import type { AgentMessage, CancelReason, RequestSummary } from '../../message.ts';
import { connectTimeoutMs, maxCallsPerConnection } from '../../settings.ts';
import { requireConsent } from '../configuration.ts';
import type {
  AgentConnection,
  AgentDescription,
  CallContext,
  ConnectOptions,
  ConnectionListener,
  ReceivedAnswer,
} from '../connection.ts';
import { encodeComplete, encodeEvent, envelope } from '../envelope/encode.ts';
import { readReply } from '../envelope/reply.ts';
import type { ReplyKind } from '../envelope/reply.ts';
import { plainFraming } from '../framing.ts';
import { parseObject } from '../json-fields.ts';
import { abandonedError } from '../pending-calls.ts';
import { GatewayError } from '../../../errors.ts';
import type { AgentError } from '../../errors.ts';

/** A URL and its TLS. */
export type HttpTransport = Extract<AgentTransport, { readonly kind: 'http' }>;

/**
 * A connection of the dialect `http`: each event is a request of its own, with the JSON of the dialect `envelope`, so that answers cannot be
 * mistaken. What it keeps open below is nobody's concern; it counts as lost when the agent cannot be reached.
 */
export class HttpConnection implements AgentConnection {
  readonly dialect = 'http';
  readonly description: AgentDescription = {};
  readonly maxCalls = maxCallsPerConnection;
  readonly #url: string;
  readonly #client: HttpClient;
  readonly #listener: ConnectionListener;
  /** In no order; no map, for the reason `PendingCalls` gives. */
  readonly #running: RunningEvent[] = [];
  #closed = false;
  #proven = false;

  private constructor({ address, tls }: HttpTransport, listener: ConnectionListener) {
    const { sni, insecureSkipVerify = false, caCertFile, clientCertFile, clientKeyFile } = tls ?? {};
    this.#url = address;
    this.#listener = listener;
    this.#client = new HttpClient({
      connectTimeoutMs,
      maxConnectionsPerHost: maxCallsPerConnection,
      tls: {
        insecureSkipVerify,
        ...(sni === undefined ? {} : { serverNameOverride: sni }),
        ...(caCertFile === undefined ? {} : { caFile: caCertFile }),
        ...(clientCertFile === undefined ? {} : { certFile: clientCertFile }),
        ...(clientKeyFile === undefined ? {} : { keyFile: clientKeyFile }),
      },
    });
  }

  /** Finds out whether the agent is there, and hands it its configuration. Fails with `connect`, `refused` or `protocol`. */
  static async open(transport: HttpTransport, options: ConnectOptions): Promise<HttpConnection> {
    await reach(transport.address);
    const connection = new HttpConnection(transport, options.listener);
    if (options.configJson === undefined) return connection;
    try {
      const payload = { agent_id: options.agentId, config: JSON.parse(options.configJson) as unknown };
      requireConsent((await connection.#post(envelope('configure', payload), 'success', { number: 0 })).answer);
      return connection;
    } catch (caught) {
      connection.#shut();
      throw asAgentError(caught, 'connect', `cannot hand agent ${options.agentId} its configuration`);
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  get proven(): boolean {
    return this.#proven;
  }

  call(message: AgentMessage, context: CallContext): Promise<ReceivedAnswer> {
    const expected = message.kind === 'guardrail' ? 'finding' : 'decision';
    return this.#post(encodeEvent(message, context), expected, ofRequest(context));
  }

  /** The agent sees its client go away. */
  abandon({ requestNumber }: CallContext, _reason: CancelReason): void {
    this.#running.find(({ number }) => number === requestNumber)?.giveUp.abort();
  }

  async finish(context: CallContext, summary: RequestSummary): Promise<void> {
    if (this.#closed) return;
    await this.#post(encodeComplete(context, summary), 'success', ofRequest(context));
  }

  /** Nothing can come late. */
  async forgotten(): Promise<void> {}

  close(): void {
    if (this.#closed) return;
    this.#shut();
    this.#listener.onClosed(new GatewayError('closed', 'the connection to the agent was closed by the gateway'));
  }

  async #post(text: string, expected: ReplyKind, { number, traceparent }: EventOf): Promise<ReceivedAnswer> {
    if (this.#closed) throw new GatewayError('connection_lost', 'the connection to the agent is closed');
    const running: RunningEvent = { number, giveUp: new AbortController() };
    this.#running.push(running);
    try {
      const response = await this.#client.request({
        method: 'POST',
        url: this.#url,
        headers: {
          'content-type': 'application/json',
          'x-zentinel-protocol-version': '1',
          ...(traceparent === undefined ? {} : { traceparent }),
        },
        body: Buffer.from(text),
        // Callers have limits of their own, and give up; an end and a configuration have none.
        timeoutMs: expected === 'success' ? connectTimeoutMs : 0,
        maxResponseBytes: plainFraming.maxBytes,
        signal: running.giveUp.signal,
      });
      return this.#read(response, expected);
    } catch (caught) {
      throw this.#failure(caught);
    } finally {
      this.#over(running);
    }
  }

  #over(event: RunningEvent): void {
    const at = this.#running.indexOf(event);
    const last = this.#running.pop()!;
    if (last !== event) this.#running[at] = last;
  }

  #read({ status, body, truncated }: HttpClientResponse, expected: ReplyKind): ReceivedAnswer {
    if (status < 200 || status > 299) throw new GatewayError('protocol', `the agent answered with status ${status}`);
    if (truncated) {
      throw new GatewayError('protocol', `the agent's answer is longer than ${plainFraming.maxBytes} bytes`);
    }
    const received = readReply(parseObject(Buffer.from(body), 'an answer'), body.length, expected);
    this.#proven = true;
    return received;
  }

  #failure(caught: unknown): AgentError {
    if (!(caught instanceof NetError)) return asAgentError(caught, 'protocol', 'the agent could not be asked');
    if (caught.code === 'aborted') return this.#closed ? closedError() : abandonedError();
    const error = new GatewayError('connection_lost', `the agent cannot be reached: ${caught.message}`, {
      cause: caught,
    });
    if (caught.code === 'connect_failed' && !this.#closed) {
      // What runs on other sockets may well come to an end.
      this.#closed = true;
      void this.#client.close();
      this.#listener.onClosed(error);
    }
    return error;
  }

  #shut(): void {
    this.#closed = true;
    for (const { giveUp } of this.#running) giveUp.abort();
    void this.#client.close();
  }
}

/** What an event is about. */
interface EventOf {
  readonly number: number;
  readonly traceparent?: string;
}

/** An event on its way. */
interface RunningEvent {
  /** The request's. */
  readonly number: number;
  readonly giveUp: AbortController;
}

function ofRequest({ requestNumber: number, traceparent }: CallContext): EventOf {
  return traceparent === undefined ? { number } : { number, traceparent };
}

function closedError(): AgentError {
  return new GatewayError('closed', 'the connection to the agent was closed by the gateway');
}

/** Whether somebody listens there: without asking, an agent that is away would be noticed only by the first request. Fails with `connect`. */
function reach(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      timeout: connectTimeoutMs,
    });
    const fail = (why: string, cause?: Error): void => {
      socket.destroy();
      reject(new GatewayError('connect', `cannot connect to ${hostname}:${port}: ${why}`, { cause }));
    };
    socket.once('timeout', () => fail(`no answer within ${connectTimeoutMs} ms`));
    socket.once('error', (error) => fail(error.message, error));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
