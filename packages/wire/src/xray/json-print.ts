import { bytesOfText, losslessText } from '@clew/model';
import { JsonWriter } from '../json/json-writer.ts';
import { JsonNumber, JsonObject, isJsonArray } from './json-tree.ts';
import type { Json } from './json-tree.ts';

const out = new JsonWriter();

/** A value as UTF-8 without white space; what is no valid UTF-8 becomes U+FFFD. */
export function printJson(value: Json): Uint8Array {
  try {
    write(value);
    return out.bytes.slice(0, out.length);
  } finally {
    out.reset();
  }
}

/** {@link printJson} as text. */
export function jsonText(value: Json): string {
  return losslessText(printJson(value));
}

function write(value: Json): void {
  if (typeof value === 'string') writeText(value);
  else if (value instanceof JsonNumber) out.ascii(value.text);
  else if (value instanceof JsonObject) writeObject(value);
  else if (isJsonArray(value)) writeArray(value);
  else out.ascii(String(value));
}

function writeText(text: string): void {
  const bytes = bytesOfText(text);
  out.string(bytes, 0, bytes.length);
}

function writeObject({ members }: JsonObject): void {
  let separator = '{';
  for (const [name, value] of members) {
    out.ascii(separator);
    writeText(name);
    out.ascii(':');
    write(value);
    separator = ',';
  }
  out.ascii(members.size === 0 ? '{}' : '}');
}

function writeArray(elements: readonly Json[]): void {
  let separator = '[';
  for (const element of elements) {
    out.ascii(separator);
    write(element);
    separator = ',';
  }
  out.ascii(elements.length === 0 ? '[]' : ']');
}
