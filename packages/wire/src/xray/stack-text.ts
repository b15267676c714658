import { JsonNumber, JsonObject } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { textOf } from './json-paths.ts';

/**
 * X-Ray's stack frames as text. Whatever the language, they are written as Java writes them, which every viewer can read:
 *
 *     type: message
 *         at label(path:line)
 */
export function stackText(type: string | undefined, message: string | undefined, frames: readonly Json[]): string {
  const head = [type, message].filter((part) => part !== undefined && part !== '').join(': ');
  return [head, ...frames.map(frameText)].join('\n');
}

function frameText(frame: Json): string {
  if (!(frame instanceof JsonObject)) return '\tat (unknown)';
  const line = frame.get('line');
  const number = line instanceof JsonNumber ? line.text : textOf(line);
  const place = [textOf(frame.get('path')) ?? '', ...(number === undefined ? [] : [number])].join(':');
  return `\tat ${textOf(frame.get('label')) ?? ''}(${place})`;
}

const FRAME = '\tat ';

/** The frames of a text that {@link stackText} wrote. */
export function framesOfStackText(text: string): readonly JsonObject[] {
  const frames: JsonObject[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith(FRAME) || !line.endsWith(')')) continue;
    const open = line.indexOf('(');
    const place = line.slice(open + 1, -1);
    const colon = place.lastIndexOf(':');
    const frame = new JsonObject([
      ['path', colon < 0 ? place : place.slice(0, colon)],
      ...(colon < 0 ? [] : [['line', new JsonNumber(place.slice(colon + 1))] as const]),
      ['label', line.slice(FRAME.length, open)],
    ]);
    if (colon < 0 || /^\d+$/.test(place.slice(colon + 1))) frames.push(frame);
  }
  return frames;
}
