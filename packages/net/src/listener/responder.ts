// Hot path: every request of a listener passes here (guarded by bench/net).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ByteBudget } from '../byte-budget.ts';
import type { HttpReply, Peer, RejectHook, RejectReason } from '../exchange.ts';
import type { NetError } from '../errors.ts';
import { GrpcExchange, isRejection } from '../grpc/serve.ts';
import { refuseCall } from '../grpc/refuse.ts';
import { answer, textReply } from '../http/answer.ts';
import type { AnswerContext } from '../http/answer.ts';
import type { SlowReader } from '../http/drain.ts';
import { Http1Exchange } from '../http/http1-exchange.ts';
import { Http2Exchange } from '../http/http2-exchange.ts';
import { WireRequest } from '../http/wire-request.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { rpcStatus } from '../status/rpc-status.ts';
import type { Abandonable, InFlight } from './in-flight.ts';
import { notFoundReply } from './mounts.ts';
import type { GrpcRoute, HttpRoute, Mounts, NodeRoute } from './mounts.ts';

/** What a responder needs of its listener. */
export interface ResponderContext {
  readonly mounts: Mounts;
  readonly budget: ByteBudget;
  readonly keepAlive: boolean;
  readonly writeIdleTimeoutMs: number;
  readonly isDraining: () => boolean;
  readonly reject: (reason: RejectReason, detail: string, hook?: RejectHook) => void;
  readonly onFailure: (path: string, caught: unknown) => void;
}

const drainingText = 'the server is shutting down; try again';

/** Finds the mount of each request and has it answered. */
export class Responder {
  readonly #context: ResponderContext;
  readonly #answering: AnswerContext;
  readonly #reader: SlowReader;
  readonly #peers = new WeakMap<Socket, Peer>();
  #requestsTotal = 0;

  constructor(context: ResponderContext) {
    this.#context = context;
    this.#reader = {
      idleTimeoutMs: context.writeIdleTimeoutMs,
      onSlow: () =>
        context.reject('slow_reader', `a client took nothing of its reply for ${context.writeIdleTimeoutMs} ms`),
    };
    this.#answering = {
      reject: (reason, detail, route) => context.reject(reason, detail, route.mount.onRejected),
      onFailure: context.onFailure,
    };
  }

  get requestsTotal(): number {
    return this.#requestsTotal;
  }

  /** Answers a request on HTTP/1.1; `awaited` when the client waits for `100 Continue` before it sends its body. */
  http1(request: IncomingMessage, response: ServerResponse, awaited: boolean): void {
    this.#requestsTotal++;
    const target = targetOf(request.url ?? '/');
    const route = this.#context.mounts.findHttp(pathOf(target));
    if (route?.kind === 'node' && !this.#context.isDraining()) {
      if (awaited) response.writeContinue();
      track(route.owner.inFlight, response, { destroy: () => request.socket.destroy() });
      return route.mount.handle(request, response);
    }
    const wire = new WireRequest({
      protocol: 'http/1.1',
      method: request.method ?? 'GET',
      target,
      headers: request.headers,
      peer: this.#peerOf(request.socket),
      source: request,
      budget: this.#context.budget,
      onReadBody: awaited ? () => response.writeContinue() : undefined,
      onBodyFailure: (error) => this.#onBodyFailure(error, route),
    });
    const exchange = new Http1Exchange(request, response, wire, this.#reader);
    void this.#run(wire, exchange, route, (reply) =>
      exchange.write(reply, this.#context.keepAlive && !this.#context.isDraining()),
    );
  }

  /** Answers a request or a gRPC call on HTTP/2. */
  http2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): void {
    this.#requestsTotal++;
    const target = headers[':path'] ?? '/';
    const route = this.#context.mounts.findHttp(pathOf(target));
    if (route?.kind === 'node' && !this.#context.isDraining())
      return this.#http2Node(route, stream, headers, rawHeaders);
    const socket = stream.session?.socket;
    const wire = new WireRequest({
      protocol: 'h2',
      method: headers[':method'] ?? 'GET',
      target,
      headers,
      peer: socket ? this.#peerOf(socket as Socket) : { address: '', port: 0, secure: false },
      source: stream,
      budget: this.#context.budget,
      onBodyFailure: (error) => this.#onBodyFailure(error, route),
    });
    if (isGrpc(headers['content-type'])) return this.#grpc(stream, headers, wire);
    const exchange = new Http2Exchange(stream, wire, this.#reader);
    void this.#run(wire, exchange, route, (reply) => exchange.write(reply));
  }

  #grpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, wire: WireRequest): void {
    const { mounts, budget, isDraining, reject, onFailure } = this.#context;
    if (wire.method !== 'POST') {
      return refuseCall(stream, rpcStatus(GrpcCode.internal, `gRPC needs POST, not ${wire.method}`), 405);
    }
    if (isDraining()) {
      reject('draining', drainingText);
      return refuseCall(stream, rpcStatus(GrpcCode.unavailable, drainingText));
    }
    const route = mounts.findGrpc(wire.path);
    if (!route) return refuseCall(stream, unknownMethod(wire.path, mounts));
    const exchange = new GrpcExchange(stream, headers, route, {
      peer: wire.peer,
      budget,
      head: wire,
      reader: this.#reader,
      reject: (reason, detail) => reject(reason, detail, route.service.onRejected),
      onFailure,
    });
    void this.#runCall(exchange, route);
  }

  async #runCall(exchange: GrpcExchange, route: GrpcRoute): Promise<void> {
    route.owner.inFlight.add(exchange);
    await exchange.run();
    route.owner.inFlight.remove(exchange);
  }

  #http2Node(route: NodeRoute, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): void {
    track(route.owner.inFlight, stream, { destroy: () => stream.destroy() });
    route.mount.handle(new Http2ServerRequest(stream, headers, {}, rawHeaders), new Http2ServerResponse(stream));
  }

  async #run(
    wire: WireRequest,
    exchange: Abandonable,
    route: HttpRoute | NodeRoute | undefined,
    write: (reply: HttpReply) => Promise<void>,
  ): Promise<void> {
    const inFlight = route?.owner.inFlight;
    inFlight?.add(exchange);
    try {
      await write(await this.#replyTo(wire, route));
    } catch (caught) {
      // Only a client that went away or reads nothing gets here; anything else is a handler's streamed body.
      if (!isGone(caught)) this.#context.onFailure(wire.path, caught);
      exchange.destroy();
    } finally {
      wire.release();
      inFlight?.remove(exchange);
    }
  }

  #replyTo(wire: WireRequest, route: HttpRoute | NodeRoute | undefined): HttpReply | Promise<HttpReply> {
    if (this.#context.isDraining()) {
      this.#context.reject('draining', drainingText);
      return textReply(503, drainingText, { 'retry-after': '1' });
    }
    if (route?.kind === 'http') return answer(route, wire, this.#answering);
    return this.#unroutedReply(wire);
  }

  /** Says what is wrong when a gRPC path or client meets the wrong protocol. */
  #unroutedReply(wire: WireRequest): HttpReply {
    if (wire.protocol === 'http/1.1' && isGrpc(wire.header('content-type'))) {
      return textReply(505, 'gRPC needs HTTP/2, and this request came over HTTP/1.1');
    }
    if (this.#context.mounts.findGrpc(wire.path)) {
      return textReply(415, 'unsupported media type: this is a gRPC method, content-type application/grpc is expected');
    }
    return notFoundReply;
  }

  #onBodyFailure(error: NetError, route: HttpRoute | NodeRoute | undefined): void {
    if (!isRejection(error.code)) return;
    this.#context.reject(error.code, error.message, route?.kind === 'http' ? route.mount.onRejected : undefined);
  }

  #peerOf(socket: Socket): Peer {
    const known = this.#peers.get(socket);
    if (known) return known;
    const secure = 'encrypted' in socket && socket.encrypted === true;
    const subject = secure ? certificateSubject(socket as TLSSocket) : undefined;
    const peer: Peer = {
      address: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      secure,
      ...(subject === undefined ? {} : { certificateSubject: subject }),
    };
    this.#peers.set(socket, peer);
    return peer;
  }
}

function certificateSubject(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name = socket.getPeerCertificate()?.subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}

function track(inFlight: InFlight, stream: ServerResponse | ServerHttp2Stream, exchange: Abandonable): void {
  inFlight.add(exchange);
  stream.once('close', () => inFlight.remove(exchange));
}

function isGone(caught: unknown): boolean {
  return caught instanceof Error && 'code' in caught && (caught.code === 'aborted' || caught.code === 'timed_out');
}

/** `application/grpc`, `application/grpc+proto`, `application/grpc; …`, but not `application/grpc-web`. */
function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+;])/.test(contentType);
}

function unknownMethod(path: string, mounts: Mounts): ReturnType<typeof rpcStatus> {
  const slash = path.lastIndexOf('/');
  const service = path.slice(1, slash);
  const method = path.slice(slash + 1);
  const text = mounts.hasService(service)
    ? `unknown method ${method} for service ${service}`
    : `unknown service ${service}`;
  return rpcStatus(GrpcCode.unimplemented, text);
}

/** A request line may carry a whole URL (RFC 9112 section 3.2.2); only path and query matter here. */
function targetOf(url: string): string {
  if (url.startsWith('/') || url === '*') return url;
  const at = url.indexOf('/', url.indexOf('://') + 3);
  return at < 0 ? '/' : url.slice(at);
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
