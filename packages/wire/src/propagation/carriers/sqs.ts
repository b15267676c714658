import type { CarrierAccess } from './carrier.ts';
import { textOf } from './carrier.ts';

/** Attributes an SQS or SNS message may have. */
export const MAX_SQS_ATTRIBUTES = 10;

/** The system attribute that carries an X-Ray header and does not count among the ten. */
const XRAY_ATTRIBUTE = 'AWSTraceHeader';
const XRAY_HEADER = 'x-amzn-trace-id';

/** One attribute, in the spelling of the SDK or in that of Lambda events. */
export interface SqsAttribute {
  DataType?: string;
  StringValue?: string;
  BinaryValue?: Uint8Array;
  dataType?: string;
  stringValue?: string;
}

/** A message to send, a received one, or a record of a Lambda event. */
export interface SqsMessage {
  MessageAttributes?: Record<string, SqsAttribute>;
  /** Sending: where the X-Ray header goes. */
  MessageSystemAttributes?: Record<string, SqsAttribute>;
  /** Received: system attributes as plain texts. */
  Attributes?: Record<string, string>;
  /** Lambda. */
  messageAttributes?: Record<string, SqsAttribute>;
  attributes?: Record<string, string>;
}

/**
 * SQS and SNS messages. `x-amzn-trace-id` is the system attribute `AWSTraceHeader`; every other name is a message
 * attribute, of which there may be {@link MAX_SQS_ATTRIBUTES}: where there is no room nothing is written.
 */
export const sqsMessage: CarrierAccess<SqsMessage> = {
  get(message, name) {
    if (name === XRAY_HEADER) {
      const system = message.Attributes?.[XRAY_ATTRIBUTE] ?? message.attributes?.[XRAY_ATTRIBUTE];
      return system ?? valueOf(message.MessageSystemAttributes?.[XRAY_ATTRIBUTE]);
    }
    return valueOf(message.MessageAttributes?.[name] ?? message.messageAttributes?.[name]);
  },
  each(message, prefix, visit, state) {
    const attributes = message.MessageAttributes ?? message.messageAttributes;
    for (const key in attributes) {
      const value = key.startsWith(prefix) ? valueOf(attributes[key]) : undefined;
      if (value !== undefined) visit(key.slice(prefix.length), value, state);
    }
  },
  set(message, name, value) {
    const attribute: SqsAttribute = { DataType: 'String', StringValue: value };
    if (name === XRAY_HEADER) {
      message.MessageSystemAttributes ??= {};
      message.MessageSystemAttributes[XRAY_ATTRIBUTE] = attribute;
      return true;
    }
    const attributes = (message.MessageAttributes ??= {});
    if (!Object.hasOwn(attributes, name) && Object.keys(attributes).length >= MAX_SQS_ATTRIBUTES) return false;
    attributes[name] = attribute;
    return true;
  },
  remove(message, name) {
    if (name === XRAY_HEADER) delete message.MessageSystemAttributes?.[XRAY_ATTRIBUTE];
    else delete message.MessageAttributes?.[name];
  },
};

function valueOf(attribute: SqsAttribute | undefined): string | undefined {
  return attribute && (attribute.StringValue ?? attribute.stringValue ?? textOf(attribute.BinaryValue));
}
