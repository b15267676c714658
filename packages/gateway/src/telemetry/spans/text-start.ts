/** How attributes begin, as bytes that are made beforehand. */

/** The tag of the messages that attributes are. */
export const AttributeTag = Object.freeze({ RESOURCE: 0x0a, SPAN: 0x4a, EVENT: 0x1a } as const);

/** The tag of a span's name. */
export const NAME = 0x2a;

/**
 * Everything in front of a text that is known beforehand: other attributes, the text's own attribute with zeros for its three lengths,
 * and what the text begins with. One copy writes it all.
 */
export interface TextStart {
  readonly bytes: Uint8Array;
  /** Where the text's attribute begins. */
  readonly attributeAt: number;
  /** Where the text begins. */
  readonly textAt: number;
}

/** The start of an attribute. */
export function textStart(tag: number, key: string): TextStart {
  const bytes = Uint8Array.from([tag, 0, 0x0a, key.length, ...Buffer.from(key, 'latin1'), 0x12, 0, 0x0a, 0]);
  return { bytes, attributeAt: 0, textAt: bytes.length };
}

/** The start of the attribute of `start`, behind the attributes `before`, and with `known` as the beginning of its text. */
export function textStartAfter(before: Uint8Array, start: TextStart, known = ''): TextStart {
  const bytes = new Uint8Array(Buffer.concat([before, start.bytes, Buffer.from(known)]));
  return { bytes, attributeAt: before.length, textAt: before.length + start.textAt };
}

/** An attribute of an integer up to the integer itself, with zeros for its two lengths. */
export function intHead(tag: number, key: string): Uint8Array {
  return Uint8Array.from([tag, 0, 0x0a, key.length, ...Buffer.from(key, 'latin1'), 0x12, 0, 0x18]);
}
