import { textOf } from './carrier.ts';
import type { CarrierAccess } from './carrier.ts';
import { recordCarrier } from './record.ts';

/** What OpenTracing's JMS library wrote for `-`. */
const ESCAPED_DASH = '_$dash$_';

const properties: CarrierAccess<Record<string, unknown>> = recordCarrier({ keyOf: underscored, read: textOf });
const escaped: CarrierAccess<Record<string, unknown>> = recordCarrier({
  keyOf: (name) => name.replaceAll('-', ESCAPED_DASH),
  restOf: (rest) => rest.replaceAll(ESCAPED_DASH, '-'),
  read: textOf,
});

/**
 * Message properties whose names must be identifiers, as in JMS: `-` and `.` are written as `_`. The escape of
 * OpenTracing's library is read too. Of B3 only the single form fits, as its specification asks.
 */
export const jmsProperties: CarrierAccess<Record<string, unknown>> = {
  get: (message, name) =>
    properties.get(message, name) ?? (name.includes('-') ? escaped.get(message, name) : undefined),
  each(message, prefix, visit, state) {
    properties.each(message, prefix, visit, state);
    if (prefix.includes('-')) escaped.each(message, prefix, visit, state);
  },
  set: (message, name, value) => properties.set(message, name, value),
  remove: (message, name) => properties.remove(message, name),
};

/** Names that are looked up often, and the one that AWS Lambda chose itself. */
const variableNames: Readonly<Record<string, string>> = {
  traceparent: 'TRACEPARENT',
  tracestate: 'TRACESTATE',
  baggage: 'BAGGAGE',
  'x-amzn-trace-id': '_X_AMZN_TRACE_ID',
};

/** Environment variables, for child processes and jobs: `TRACEPARENT`, `TRACESTATE`, `BAGGAGE`, and any other name in capitals with `_`. */
export const environment: CarrierAccess<Record<string, unknown>> = recordCarrier({
  keyOf: (name) => variableNames[name] ?? underscored(name).toUpperCase(),
  restOf: (rest) => rest.toLowerCase(),
  read: textOf,
});

function underscored(name: string): string {
  return name.replaceAll('-', '_').replaceAll('.', '_');
}
