import type { Duplex } from 'node:stream';
import type { ClientConnection } from '../exchange.ts';
import type { ResponseHead } from '../headers/forward-response.ts';
import type { ReceivedFields } from '../http1/fields.ts';

/** Is told what the client's side of a request does. */
export interface DownstreamListener {
  /** There is room again after a `write` that returned false. */
  onDrain(): void;
  /** It is over, once. `finished`: the whole response was handed to the system. */
  onClose(finished: boolean): void;
}

/** Is told about a request body. */
export interface BodyListener {
  onBodyData(chunk: Buffer): void;
  /** `trailers` are name, value, name, value, … */
  onBodyEnd(trailers: readonly string[]): void;
}

/** What opens a response besides its head. */
export interface HeadOptions {
  /** The connection is to end with this response; HTTP/2 connections go on. */
  readonly close: boolean;
  /** Nothing follows the head, whatever it declares. */
  readonly bodiless: boolean;
}

/** A client that waits for a response: one request of an HTTP/1.1 connection, or one stream of HTTP/2. */
export interface Downstream {
  readonly connection: ClientConnection;
  readonly method: string;
  /** The target as sent. */
  readonly target: string;
  /** HTTP/2's `:authority`; undefined where Host says it. */
  readonly authority: string | undefined;
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /** name, value, name, value, … without pseudo fields. */
  readonly rawHeaders: readonly string[];
  /** The same as they were received, where they came as lines. */
  readonly received: ReceivedFields | undefined;
  /** By lower-case name; made on demand. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Whether the client asks for a WebSocket. */
  readonly wantsUpgrade: boolean;
  /** Whether the client has sent its whole body. */
  readonly bodyEnded: boolean;
  readonly headSent: boolean;
  listen(listener: DownstreamListener): void;
  /** Begins to read the body; a client that waits for `100 Continue` gets it. At most once. */
  readBody(listener: BodyListener): void;
  pauseBody(): void;
  resumeBody(): void;
  /** The rest of the body cannot be read. */
  onBodyBroken(): void;
  /** Tells the client something before the response, such as 103 Early Hints; nothing where it cannot be told. */
  sendInterim(status: number, fields: readonly string[]): void;
  /** Throws when a field cannot be written. The head goes out with the first piece of the body that comes in the same turn. */
  sendHead(head: ResponseHead, options: HeadOptions): void;
  /** What is written from now on may wait for {@link uncork}, so that it goes out together. */
  cork(): void;
  uncork(): void;
  /** Returns false when the client is slow; `onDrain` follows. */
  write(chunk: Buffer | string): boolean;
  /** The same for a small text of one byte a character. */
  writeLatin1(text: string): boolean;
  /** Resolves when there is room again after a `write` that returned false, or nothing can be written any more. */
  drained(): Promise<void>;
  /** Whether the client is gone. */
  readonly closed: boolean;
  /** `trailers` are name, value, name, value, …; they are dropped where the client cannot have them. */
  end(trailers?: readonly string[]): void;
  /** Ends everything at once: the client sees that the response is incomplete. */
  cut(): void;
  /** Answers an upgrade with raw bytes and gives the connection away. */
  takeOver(head: string): TakenOver;
}

/** A connection that speaks another protocol from now on. */
export interface TakenOver {
  readonly socket: Duplex;
  /** What the client has sent already. */
  readonly first: Buffer;
}
