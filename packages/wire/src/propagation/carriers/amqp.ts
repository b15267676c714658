import { parseBinaryContext } from '../binary-context.ts';
import { TraceContext } from '../context.ts';
import { formatTraceparent } from '../w3c.ts';
import { textOf } from './carrier.ts';
import type { CarrierAccess } from './carrier.ts';
import { recordCarrier } from './record.ts';

/** AMQP 0-9-1: the `headers` table of a message's properties, as amqplib has it. Texts are written; bytes are read too. */
export const amqpHeaders: CarrierAccess<Record<string, unknown>> = recordCarrier({ read: textOf });

/** What is used of an AMQP 1.0 message, as rhea has it. */
export interface AmqpMessage {
  message_annotations?: Record<string, unknown>;
  application_properties?: Record<string, unknown>;
}

const section: CarrierAccess<Record<string, unknown>> = recordCarrier({ read: textOrBinary });

/**
 * AMQP 1.0. Publishers write application properties, which must not change on the way; what an intermediary wrote into the message
 * annotations is nearer and is read first. The binary form of `traceparent` that the W3C draft has reads as its text.
 */
export const amqpMessage: CarrierAccess<AmqpMessage> = {
  get(message, name) {
    const { message_annotations: annotations, application_properties: properties } = message;
    const nearer = annotations === undefined ? undefined : section.get(annotations, name);
    if (nearer !== undefined) return nearer;
    return properties === undefined ? undefined : section.get(properties, name);
  },
  each(message, prefix, visit, state) {
    if (message.application_properties) section.each(message.application_properties, prefix, visit, state);
    if (message.message_annotations) section.each(message.message_annotations, prefix, visit, state);
  },
  set(message, name, value) {
    message.application_properties ??= {};
    return section.set(message.application_properties, name, value);
  },
  remove(message, name) {
    if (message.application_properties) section.remove(message.application_properties, name);
  },
};

function textOrBinary(value: unknown): string | undefined {
  // No text form begins with NUL; the binary one always does.
  if (!(value instanceof Uint8Array) || value[0] !== 0) return textOf(value);
  const context = new TraceContext();
  if (!parseBinaryContext(value, context)) return undefined;
  return formatTraceparent(context.traceId, context.spanId, context.flags);
}
