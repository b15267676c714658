import { NetError } from '../errors.ts';
import type { HttpReply, ReplyHeaders } from '../exchange.ts';
import type { GrpcMethod, GrpcService } from '../grpc/service.ts';
import { compileCors } from '../http/cors.ts';
import type { Cors } from '../http/cors.ts';
import type { HttpMount, NodeMount } from './types.ts';
import type { InFlight } from './in-flight.ts';

/** An HTTP mount, ready to answer. */
export interface HttpRoute {
  readonly kind: 'http';
  readonly mount: HttpMount;
  readonly cors: Cors | undefined;
  readonly responseHeaders: ReplyHeaders | undefined;
  readonly owner: RouteOwner;
}

/** A mount that takes Node's own request and response. */
export interface NodeRoute {
  readonly kind: 'node';
  readonly mount: NodeMount;
  readonly owner: RouteOwner;
}

/** One method of a mounted service. */
export interface GrpcRoute {
  readonly service: GrpcService;
  readonly method: GrpcMethod;
  readonly owner: RouteOwner;
}

/** Whose route it is, and the requests it is answering. */
export interface RouteOwner {
  readonly name: string;
  readonly inFlight: InFlight;
}

/** Finds the route of a request. Exact paths win over prefixes, longer prefixes over shorter ones. */
export class Mounts {
  readonly #exact = new Map<string, HttpRoute | NodeRoute>();
  #prefixes: { prefix: string; route: HttpRoute | NodeRoute }[] = [];
  readonly #services = new Map<string, RouteOwner>();
  readonly #methods = new Map<string, GrpcRoute>();

  get paths(): string[] {
    return [...this.#exact.keys(), ...this.#prefixes.map(({ prefix }) => `${prefix}*`)].sort();
  }

  get services(): string[] {
    return [...this.#services.keys()].sort();
  }

  findHttp(path: string): HttpRoute | NodeRoute | undefined {
    return this.#exact.get(path) ?? this.#prefixes.find(({ prefix }) => path.startsWith(prefix))?.route;
  }

  findGrpc(path: string): GrpcRoute | undefined {
    return this.#methods.get(path);
  }

  /** Whether the service part of a gRPC path is mounted, for the text of UNIMPLEMENTED. */
  hasService(name: string): boolean {
    return this.#services.has(name);
  }

  addHttp(mount: HttpMount, owner: RouteOwner): () => void {
    const cors = compileCors(mount.cors);
    return this.#add(mount.paths, { kind: 'http', mount, cors, responseHeaders: mount.responseHeaders, owner });
  }

  addNode(mount: NodeMount, owner: RouteOwner): () => void {
    return this.#add(mount.paths, { kind: 'node', mount, owner });
  }

  addGrpc(service: GrpcService, owner: RouteOwner): () => void {
    const holder = this.#services.get(service.name);
    if (holder) throw conflict(`gRPC service ${service.name}`, holder, owner);
    this.#services.set(service.name, owner);
    const paths = Object.entries(service.methods).map(([name, method]) => {
      const path = `/${service.name}/${name}`;
      this.#methods.set(path, { service, method, owner });
      return path;
    });
    return () => {
      if (this.#services.get(service.name) !== owner) return;
      this.#services.delete(service.name);
      for (const path of paths) this.#methods.delete(path);
    };
  }

  #add(paths: readonly string[], route: HttpRoute | NodeRoute): () => void {
    for (const path of paths) {
      if (!path.startsWith('/')) {
        throw new NetError('invalid_setting', `cannot mount ${JSON.stringify(path)}: a path starts with /`);
      }
      const holder = this.#holder(path);
      if (holder) throw conflict(`path ${path}`, holder.owner, route.owner);
    }
    for (const path of paths) {
      if (path.endsWith('*')) this.#prefixes.push({ prefix: path.slice(0, -1), route });
      else this.#exact.set(path, route);
    }
    this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
    return () => {
      for (const path of paths) if (this.#exact.get(path) === route) this.#exact.delete(path);
      this.#prefixes = this.#prefixes.filter((entry) => entry.route !== route);
    };
  }

  #holder(path: string): HttpRoute | NodeRoute | undefined {
    if (!path.endsWith('*')) return this.#exact.get(path);
    return this.#prefixes.find(({ prefix }) => prefix === path.slice(0, -1))?.route;
  }
}

function conflict(what: string, holder: RouteOwner, wanting: RouteOwner): NetError {
  const message = `cannot mount ${what} for ${wanting.name}: ${holder.name} already answers it on this listener; give one of them another path or port`;
  return new NetError('route_conflict', message);
}

/** The answer to a path nobody mounted. */
export const notFoundReply: HttpReply = Object.freeze({
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: '404 page not found\n',
});
