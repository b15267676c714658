// Clients for the contract of receivers.
import { request } from 'node:http';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { SpanBatch } from '@clew/model';
import type { Component } from '@clew/pipeline';
import type { ReceiverClient, SendOutcome } from '@clew/pipeline/contract-tests';

/** The address a started receiver listens on, by protocol or the first. */
export function addressOf(receiver: Component, protocol?: string): string {
  const { listeners } = receiver.snapshot() as { listeners: { protocol: string; address: string }[] };
  const found = protocol === undefined ? listeners[0] : listeners.find((listener) => listener.protocol === protocol);
  if (found === undefined) throw new Error(`nothing listens for ${protocol ?? 'anything'}`);
  return found.address;
}

/** Posts to a path of a receiver. */
export function httpClient(
  receiver: Component,
  path: string,
  contentType: string,
  encode: (batch: SpanBatch) => Uint8Array,
): Promise<ReceiverClient> {
  const url = `http://${addressOf(receiver)}${path}`;
  return Promise.resolve({
    send: async (batch) => httpOutcome(await post(url, contentType, encode(batch))),
    sendHeadOnly: async () => httpOutcome(await post(url, contentType, undefined)),
    close: () => Promise.resolve(),
  });
}

/** Calls a unary method of a receiver. */
export function grpcClient(
  receiver: Component,
  path: string,
  encode: (batch: SpanBatch) => Uint8Array,
): Promise<ReceiverClient> {
  const client = new Client(addressOf(receiver), credentials.createInsecure());
  const raw = (bytes: Buffer): Buffer => bytes;
  const send = (batch: SpanBatch): Promise<SendOutcome> => {
    const { promise, resolve } = Promise.withResolvers<SendOutcome>();
    client.makeUnaryRequest(path, raw, raw, Buffer.from(encode(batch)), new Metadata(), (error) => {
      if (error === null) return resolve('accepted');
      resolve([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED].includes(error.code) ? 'retryable' : 'permanent');
    });
    return promise;
  };
  return Promise.resolve({
    send,
    close() {
      client.close();
      return Promise.resolve();
    },
  });
}

function httpOutcome(code: number): SendOutcome {
  if (code === 200 || code === 202) return 'accepted';
  return [429, 502, 503, 504].includes(code) ? 'retryable' : 'permanent';
}

/** The status of a request; `body` undefined announces a body and never sends it. */
function post(url: string, contentType: string, body: Uint8Array | undefined): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { 'content-type': contentType, 'content-length': body?.length ?? 1000 };
  const sent = request(url, { method: 'POST', headers, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
    // A request without its body would otherwise keep the connection.
    if (body === undefined) sent.destroy();
  });
  sent.on('error', reject);
  if (body === undefined) sent.flushHeaders();
  else sent.end(body);
  return promise;
}
