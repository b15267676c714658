import { STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import type { Exchange } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { fieldValue } from '../headers/fields.ts';

/** A response the gateway makes itself. */
export interface LocalAnswer {
  readonly status: number;
  /** name, value, name, value, … without Content-Length. */
  readonly headers: readonly string[];
  readonly body: string | Buffer | Readable;
  /** Of a stream: its length in bytes. */
  readonly bodyBytes?: number;
  /** Whether the client's connection ends with it. */
  readonly close?: boolean;
}

/** One whose body is text. */
export type TextAnswer = LocalAnswer & { readonly body: string };

/** An answer that is not given after all: what its body holds open is let go. */
export function discardAnswer({ body }: LocalAnswer): void {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) body.destroy();
}

/** The status as text, such as `503 Service Unavailable`. */
export function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
}

/** What the client gets when something failed: nothing that names addresses or internals. */
export function errorAnswer(exchange: Exchange, failure: GatewayFailure): TextAnswer {
  const { status } = failure;
  const headers: string[] = [];
  if (failure.retryAfterSeconds !== undefined) headers.push('Retry-After', String(failure.retryAfterSeconds));
  const close = failure.closeConnection === true;
  if (exchange.serviceType !== 'api' && exchange.serviceType !== 'builtin' && prefersHtml(exchange)) {
    headers.push('Content-Type', 'text/html; charset=utf-8');
    return { status, headers, body: errorPage(exchange, failure), close };
  }
  headers.push('Content-Type', 'application/json');
  const body = JSON.stringify({
    error: statusText(status),
    reason: failure.reason,
    trace_id: exchange.logTraceId,
    correlation_id: exchange.correlationId,
  });
  return { status, headers, body, close };
}

/** Whether `Accept` names HTML, as browsers do; a star alone is what programs send. */
function prefersHtml(exchange: Exchange): boolean {
  const accept = fieldValue(exchange.requestHeaders, 'accept');
  if (accept === undefined) return false;
  const html = qualityOf(accept, 'text/html');
  return html > 0 && html >= qualityOf(accept, 'application/json');
}

function qualityOf(accept: string, type: string): number {
  for (const part of accept.toLowerCase().split(',')) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim());
    if (name !== type) continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const value = quality === undefined ? 1 : Number(quality.slice(2));
    return Number.isFinite(value) ? value : 1;
  }
  return 0;
}

function errorPage(exchange: Exchange, failure: GatewayFailure): string {
  const title = escapeHtml(statusText(failure.status));
  const reason = escapeHtml(failure.reason);
  const id = escapeHtml(exchange.correlationId);
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>` +
    `<body><h1>${title}</h1><p>Reason: <code>${reason}</code></p><p>Request id: <code>${id}</code></p></body></html>\n`
  );
}

/** Text as HTML shows it, also within quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
