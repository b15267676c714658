// What the gateway reads differently from llhttp, on purpose. Whatever else differs is a bug of one of them.
import type { MessageReading, StreamReading } from './reading.ts';

/** Something that we refuse and llhttp takes. A refusal is answered and ends the connection, so that nothing behind it is read. */
export interface Refusal {
  readonly name: string;
  readonly why: string;
  /** How we put it. */
  readonly problem: RegExp;
}

/** Something that we take and llhttp refuses, or that ends a connection for llhttp alone. */
export interface Allowance {
  readonly name: string;
  readonly why: string;
  applies(reading: { readonly text: string; readonly ours: StreamReading; readonly reference: StreamReading }): boolean;
}

/** Requests that we refuse. */
export const refusedRequests: readonly Refusal[] = [
  {
    name: 'hosts',
    why: 'routing needs exactly one Host that is a host and a port (RFC 9112 section 3.2)',
    problem: /^bad_host$/,
  },
  {
    name: 'transfer codings',
    why: 'anything but one `chunked` alone, in HTTP/1.1, has been read differently by servers behind each other',
    problem: /^bad_transfer_encoding$|a tab stands behind the transfer coding$/,
  },
  {
    name: 'lengths',
    why: 'lists, signs, repetitions and numbers beyond 2^49 have been read differently by servers behind each other',
    problem: /^bad_content_length$/,
  },
  { name: 'targets', why: 'a gateway routes paths and absolute URIs only', problem: /^bad_(?:target|path)$/ },
  { name: 'limits', why: 'the gateway has limits of its own', problem: /^(?:header_(?:size|count)|target_size)$/ },
  { name: 'tunnels', why: 'the gateway is no forward proxy', problem: /^connect$/ },
  {
    name: 'expectations',
    why: 'there is but one, and others fail (RFC 9110 section 10.1.1)',
    problem: /^expectation$/,
  },
  {
    name: 'upgrades with a body',
    why: 'where the body ends and the other protocol begins could be seen differently',
    problem: /^upgrade with body$/,
  },
  {
    name: 'versions',
    why: 'HTTP/0.9, and the protocols that look like HTTP, are not spoken',
    problem: /^the request line (?:does not end with|has no version)/,
  },
  {
    name: 'empty lines',
    why: 'before a request, only CR LF is skipped: a lone CR or LF may be an ending for one server and text for another',
    problem: /^(?:the method is none|it does not begin with a method|a carriage return stands alone)/,
  },
  {
    name: 'several spaces',
    why: 'one space divides a request line (RFC 9112 section 3)',
    problem: /^the request line has no target/,
  },
  {
    name: 'chunk sizes',
    why: 'sizes beyond 2^52 and extensions that do not follow the grammar (RFC 9112 section 7.1.1) mean nothing',
    problem: /^the size of a chunk/,
  },
];

const framingNames: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

function framesInTrailers({ trailers }: MessageReading): boolean {
  return trailers.some((name, index) => index % 2 === 0 && framingNames.has(name.toLowerCase()));
}

/** Requests that we take. */
export const allowedRequests: readonly Allowance[] = [
  {
    name: 'framing fields in trailers',
    why: 'they mean nothing there and are not passed on (RFC 9110 section 6.5.1)',
    applies: ({ ours, reference: { problem } }) =>
      /^HPE_(?:INVALID|UNEXPECTED)_(?:CONTENT_LENGTH|TRANSFER_ENCODING)$/.test(problem) &&
      ours.messages.some(framesInTrailers),
  },
];

/** Responses that we refuse. */
export const refusedResponses: readonly Refusal[] = [
  {
    name: 'transfer codings',
    why: 'a proxy that cannot decode a coding cannot tell where the body ends',
    problem: /the transfer coding is not chunked alone$|a tab stands behind the transfer coding$/,
  },
  {
    name: 'lengths',
    why: 'a length that is no number, too large, repeated, or beside a coding leaves open where the body ends',
    problem: /the length is no number, or is given twice$|there are a length and a transfer coding$/,
  },
  {
    name: 'phrases',
    why: 'a phrase has no control characters (RFC 9112 section 4)',
    problem: /the phrase has a control/,
  },
  { name: 'versions', why: 'only HTTP/1.0 and HTTP/1.1 are spoken', problem: /does not begin with HTTP\/1/ },
  {
    name: 'statuses',
    why: 'a status has three digits, from 100 on (RFC 9110 section 15)',
    problem: /the status is no number/,
  },
  {
    name: 'changes of protocol',
    why: 'nobody asked for one',
    problem: /changes the protocol, which nobody asked for$/,
  },
  { name: 'chunk sizes', why: 'as in requests', problem: /the size of a chunk/ },
];

/** Responses that we take. */
export const allowedResponses: readonly Allowance[] = [
  {
    name: 'interim responses that end the connection',
    why: 'the final response is still to come (RFC 9110 section 15.2); the connection is not used again',
    applies: ({ text, reference: { problem } }) =>
      problem === 'HPE_CLOSED_CONNECTION' && /HTTP\/1\.[01] 1\d\d/.test(text),
  },
  ...allowedRequests,
];
