import { connectTimeoutMs, probeTimeoutMs } from '../settings.ts';
import type { ConnectOptions } from './connection.ts';
import { FrameChannel, connectSocket } from './frame-channel.ts';
import type { ChannelOwner } from './frame-channel.ts';
import { typedFraming } from './framing.ts';
import { parseObject, textAt } from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

const handshakeRequest = 0x01;
const handshakeResponse = 0x02;
/** Where typed frames have their type, a frame without one has the first byte of its JSON. */
const openingBrace = 0x7b;

/** A handshake the agent accepted, and the dialect its answer is in. */
export interface AnsweredHandshake {
  readonly dialect: 'framed' | 'numbered';
  readonly reply: JsonObject;
  readonly greeting: Greeting;
}

/** How an agent took the handshake: in one of two dialects, or not at all. */
export type HandshakeOutcome =
  | AnsweredHandshake
  /** It hung up or said nothing: it may speak the dialect that has no handshake, on a new connection. */
  | { readonly dialect: 'none'; readonly why: string };

/**
 * Greets an agent on a Unix socket with one frame that both framed dialects understand, and finds out which of them it
 * speaks. `patient` waits as long as connecting may take; otherwise silence is soon taken for an answer.
 *
 * Fails with `connect`, with `refused` when the agent declines, or with `protocol`.
 */
export async function shakeHands(path: string, patient: boolean, options: ConnectOptions): Promise<HandshakeOutcome> {
  const greeting = new Greeting(await connectSocket(path));
  try {
    const first = await greeting.firstFrame(greetingText(options), patient ? connectTimeoutMs : probeTimeoutMs);
    if (first.kind === 'frame' && first.type !== openingBrace) {
      return { ...readReply(first.type, first.payload), greeting };
    }
    greeting.close();
    return { dialect: 'none', why: first.kind === 'silence' ? first.why : 'it answered without a frame type' };
  } catch (error) {
    greeting.close();
    throw error;
  }
}

function greetingText({ proxyVersion, configJson }: ConnectOptions): string {
  const request = {
    supported_versions: [2],
    proxy_id: 'clew-gateway',
    proxy_version: proxyVersion,
    config: configJson === undefined ? null : (JSON.parse(configJson) as unknown),
    supported_encodings: ['json'],
    protocol_version: 2,
    client_name: 'clew-gateway',
    supported_features: [],
  };
  return JSON.stringify(request);
}

function readReply(type: number, payload: Buffer): { dialect: 'framed' | 'numbered'; reply: JsonObject } {
  if (type !== handshakeResponse) {
    throw new GatewayError('protocol', `the agent answered the handshake with a frame of type ${hex(type)}, not 0x02`);
  }
  const reply = parseObject(payload, 'the answer to the handshake');
  const [dialect, verdict] =
    'success' in reply ? (['framed', 'success'] as const) : (['numbered', 'accepted'] as const);
  if (typeof reply[verdict] !== 'boolean') {
    throw new GatewayError('protocol', 'the answer to the handshake has neither "success" nor "accepted"');
  }
  if (!reply[verdict]) {
    const why = textAt(reply, 'error') ?? 'it gave no reason';
    throw new GatewayError('refused', `the agent declined the handshake: ${why}`);
  }
  requireAgreed(reply, 'protocol_version', 2);
  requireAgreed(reply, 'encoding', 'json');
  return { dialect, reply };
}

/** The agent must have chosen what was offered, if it says what it chose. */
function requireAgreed(reply: JsonObject, key: string, offered: string | number): void {
  const chosen = reply[key];
  if (chosen == null || chosen === offered) return;
  const text = `the agent chose ${key} ${JSON.stringify(chosen)}, but only ${JSON.stringify(offered)} was offered`;
  throw new GatewayError('refused', text);
}

/** A frame type as people write it. */
export function hex(type: number): string {
  return `0x${type.toString(16).padStart(2, '0')}`;
}

type FirstFrame =
  | { readonly kind: 'frame'; readonly type: number; readonly payload: Buffer }
  | { readonly kind: 'silence'; readonly why: string };

/** A connection until somebody takes it over; what arrives meanwhile is kept. */
export class Greeting implements ChannelOwner {
  readonly channel: FrameChannel;
  readonly #frames: { readonly type: number; readonly payload: Buffer }[] = [];
  #ended: AgentError | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: ConstructorParameters<typeof FrameChannel>[0]) {
    this.channel = new FrameChannel(socket, typedFraming, this);
  }

  onFrame(type: number, payload: Buffer): void {
    this.#frames.push({ type, payload });
    this.#wake();
  }

  onClosed(error: AgentError): void {
    this.#ended = error;
    this.#wake();
  }

  /** Sends the greeting and waits for the first frame. Fails with `protocol` on a frame that cannot be. */
  async firstFrame(text: string, limitMs: number): Promise<FirstFrame> {
    this.channel.send(handshakeRequest, text);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    const frame = this.#frames.shift();
    if (frame !== undefined) return { kind: 'frame', ...frame };
    if (this.#ended === undefined) return { kind: 'silence', why: `it said nothing for ${limitMs} ms` };
    if (this.#ended.code === 'protocol') throw this.#ended;
    return { kind: 'silence', why: this.#ended.message };
  }

  /** Hands the connection over, with what has arrived since the first frame. */
  handOver(owner: ChannelOwner): void {
    this.channel.owner = owner;
    if (this.#ended !== undefined) owner.onClosed(this.#ended);
    else for (const { type, payload } of this.#frames.splice(0)) owner.onFrame(type, payload);
  }

  close(): void {
    this.channel.close();
  }
}
