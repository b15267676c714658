import { lastText } from './carrier.ts';
import type { CarrierAccess } from './carrier.ts';
import { recordCarrier } from './record.ts';

/**
 * Record headers as kafkajs has them: an object of bytes, texts, or several of these under one name, of which the last
 * counts. Written as bytes of UTF-8, per record and never per batch.
 */
export const kafkaHeaders: CarrierAccess<Record<string, unknown>> = recordCarrier({
  read: (value) => lastText(Array.isArray(value) ? value : [value]),
  write: (text) => utf8.encode(text),
});

/** Record headers as node-rdkafka has them: a list of objects with one header each. The last of a name counts. */
export type KafkaHeaderList = Record<string, unknown>[];

export const kafkaHeaderList: CarrierAccess<KafkaHeaderList> = {
  get(headers, name) {
    for (let i = headers.length - 1; i >= 0; i--) {
      const value = headers[i]![name];
      const text = value === undefined ? undefined : lastText([value]);
      if (text !== undefined) return text;
    }
    return undefined;
  },
  each(headers, prefix, visit, state) {
    for (const header of headers) kafkaHeaders.each(header, prefix, visit, state);
  },
  set(headers, name, value) {
    kafkaHeaderList.remove(headers, name);
    headers.push({ [name]: utf8.encode(value) });
    return true;
  },
  remove(headers, name) {
    for (let i = headers.length - 1; i >= 0; i--) if (Object.hasOwn(headers[i]!, name)) headers.splice(i, 1);
  },
};

const utf8 = new TextEncoder();
