import { base64Of, bytesOfText, isArray } from '@clew/model';
import type { AttributeValue } from '@clew/model';
import { JsonNumber, JsonObject, isJsonArray, readJson } from './json-tree.ts';
import type { Json } from './json-tree.ts';

/**
 * Attribute values in segment documents and back. Numbers keep their type by their spelling: `1` is an integer, `1.0` a double.
 */

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;

/**
 * A scalar or an array of scalars as an attribute value; `undefined` for objects and anything nested. A number that neither a 64-bit
 * integer nor a double can hold becomes its digits as text.
 */
export function attributeOfJson(value: Json): AttributeValue | undefined {
  if (!isJsonArray(value)) return scalarOfJson(value);
  const elements: AttributeValue[] = [];
  for (const element of value) {
    const scalar = isJsonArray(element) ? undefined : scalarOfJson(element);
    if (scalar === undefined) return undefined;
    elements.push(scalar);
  }
  return elements;
}

function scalarOfJson(value: Exclude<Json, readonly Json[]>): AttributeValue | undefined {
  if (value instanceof JsonObject) return undefined;
  return value instanceof JsonNumber ? numericValue(value.text) : value;
}

function numericValue(text: string): AttributeValue {
  if (/^-?\d+$/.test(text)) {
    // BigInt of a huge text costs its length squared; no 64-bit integer is longer than 20 characters.
    const integer = text.length <= 20 ? BigInt(text) : undefined;
    const isNegativeZero = integer === 0n && text.startsWith('-');
    if (isNegativeZero) return -0;
    return integer !== undefined && integer >= MIN_INT && integer <= MAX_INT ? integer : text;
  }
  const double = Number(text);
  return Number.isFinite(double) ? double : text;
}

/** An attribute value as JSON: bytes as base64, doubles JSON has no number for as text, maps as objects. */
export function jsonOfAttribute(value: AttributeValue): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return new JsonNumber(value.toString());
  if (typeof value === 'number') return jsonOfDouble(value);
  if (value instanceof Uint8Array) return base64Of(value);
  if (isArray(value)) return value.map(jsonOfAttribute);
  return new JsonObject(value.entries.map((entry) => [entry.key, jsonOfAttribute(entry.value)] as const));
}

/** A double with a point or an exponent, so that it reads back as a double. */
function jsonOfDouble(value: number): Json {
  if (!Number.isFinite(value)) return String(value);
  const text = Object.is(value, -0) ? '-0' : String(value);
  return new JsonNumber(/[.e]/.test(text) ? text : `${text}.0`);
}

/** More than documents can nest under any limit of their decoding. */
const CARRIER_DEPTH = 500;

/** The JSON an attribute's text holds; `undefined` when it is none, which only somebody who wrote into it can have brought about. */
export function jsonOfText(text: string): Json | undefined {
  try {
    return readJson(bytesOfText(text), 0, CARRIER_DEPTH);
  } catch {
    return undefined;
  }
}
