import { TraceContext, extractW3c, rawHeaders } from '@clew/wire/propagation';
import type { Exchange } from '../../proxy/exchange.ts';

const inbound = new TraceContext();

/**
 * What logs call `trace_id`: the W3C trace id when there is one, of the gateway's own trace or of the inbound one that passes through
 * it, else the correlation id.
 */
export function traceIdText(exchange: Exchange): string {
  if (exchange.trace.traceId !== '') return exchange.trace.traceId;
  // Extracting only reads the list.
  return extractW3c(exchange.requestHeaders as string[], rawHeaders, inbound)
    ? inbound.traceId
    : exchange.correlationId;
}
