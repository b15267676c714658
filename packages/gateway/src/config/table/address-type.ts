import { isIP } from 'node:net';
import { compilePattern, fail, ok } from '@clew/base';
import type { SocketAddress } from '../model/listener.ts';
import { refine, text, word } from './value-type.ts';
import type { ValueType } from './value-type.ts';

/** `host:port` or `[v6]:port`, without looking at what the host is. */
function splitAddress(written: string): SocketAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(written);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || host === '' || port > 65535) return undefined;
  if (match?.[1] !== undefined && isIP(host) !== 6) return undefined;
  return { host, port };
}

/** An address to listen on. */
export const socketAddress: ValueType<SocketAddress> = refine(
  text,
  'an IP address and a port, such as "0.0.0.0:8080" or "[::1]:8080"',
  (written) => {
    const address = splitAddress(written);
    return address !== undefined && isIP(address.host) !== 0 ? ok(address) : fail(undefined);
  },
);

const hostName = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/;

/** A server: a host name or IP address and a port. */
export const serverAddress: ValueType<SocketAddress> = refine(
  text,
  'a host and a port, such as "127.0.0.1:3000" or "api:3000"',
  (written) => {
    const address = splitAddress(written);
    if (address === undefined || address.port === 0) {
      return fail(hostName.test(written) || isIP(written) !== 0 ? 'the port is missing' : undefined);
    }
    // A host of digits and dots that is no IP address would be looked up as a name and never found.
    const numeric = /^[\d.]+$/.test(address.host);
    return isIP(address.host) !== 0 || (!numeric && hostName.test(address.host)) ? ok(address) : fail(undefined);
  },
);

/** An absolute `http` or `https` URL, as written. */
export const httpUrl: ValueType<string> = refine(text, 'a URL such as "http://localhost:4317"', (written) => {
  if (!URL.canParse(written)) return fail(undefined);
  const { protocol, hostname } = new URL(written);
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '' ? ok(written) : fail(undefined);
});

/** A host and port, or a URL, as gRPC endpoints are written. */
export const grpcAddress: ValueType<string> = {
  label: 'a host and a port, or a URL such as "http://localhost:50051"',
  read: (value) => {
    const server = serverAddress.read(value);
    return server.ok ? text.read(value) : httpUrl.read(value);
  },
};

/** A path of a URL. */
export const urlPath: ValueType<string> = refine(text, 'a path that begins with /', (written) =>
  /^\/[^\s?#]*$/.test(written) ? ok(written) : fail(undefined),
);

/** Characters of a header name and of a method (RFC 9110, 5.6.2). */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The name of a header, in the case it was written in. */
export const headerName: ValueType<string> = refine(text, 'the name of a header', (written) =>
  token.test(written) ? ok(written) : fail(undefined),
);

/** A value of a header: no line breaks and no other control characters. */
export const headerValue: ValueType<string> = {
  label: 'the value of a header, without control characters',
  read({ value }) {
    // Numbers and booleans are written into headers as they are.
    if (value === null) return fail(undefined);
    const written = String(value);
    return /^[^\p{Cc}]*$/u.test(written.replaceAll('\t', '')) ? ok({ value: written }) : fail(undefined);
  },
};

/** A method, in upper case. */
export const httpMethod: ValueType<string> = refine(text, 'a method such as "GET"', (written) =>
  token.test(written) ? ok(written.toUpperCase()) : fail(undefined),
);

/** A pattern in RE2 syntax, checked and kept as written. */
export const pattern: ValueType<string> = refine(word, 'a regular expression in RE2 syntax', (written) => {
  const compiled = compilePattern(written);
  return compiled.ok ? ok(written) : fail(compiled.error);
});
