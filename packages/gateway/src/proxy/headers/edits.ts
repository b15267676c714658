import { applyHeaderOperations } from '../../agents/index.ts';
import type { HeaderOperation } from '../../agents/index.ts';
import type { HeaderEdits } from '../../config/model/route.ts';

/** Changes that are the same for every message. */
export type HeaderEditor = (headers: string[]) => string[];

/** What edits may not touch, because it decides how messages are framed. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'upgrade']);

/** Turns edits into a function; undefined when there is nothing to do. Order: rename, set, add, remove. */
export function headerEditor(edits: HeaderEdits): HeaderEditor | undefined {
  const renames = new Map(
    edits.rename
      .filter(({ from, to }) => !framing.has(from.toLowerCase()) && !framing.has(to.toLowerCase()))
      .map(({ from, to }) => [from.toLowerCase(), to]),
  );
  const operations: HeaderOperation[] = [
    ...edits.set.map(({ name, value }) => ({ kind: 'set' as const, name, value })),
    ...edits.add.map(({ name, value }) => ({ kind: 'add' as const, name, value })),
    ...edits.remove.map((name) => ({ kind: 'remove' as const, name, value: '' })),
  ].filter(({ name }) => !framing.has(name.toLowerCase()));
  if (renames.size === 0 && operations.length === 0) return undefined;
  return (headers) => {
    if (renames.size > 0) renameFields(headers, renames);
    return operations.length === 0 ? headers : applyHeaderOperations(headers, operations);
  };
}

function renameFields(headers: string[], renames: ReadonlyMap<string, string>): void {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const to = renames.get(headers[at]!.toLowerCase());
    if (to !== undefined) headers[at] = to;
  }
}

/** Several editors as one; undefined when there is none. */
export function allEditors(editors: readonly (HeaderEditor | undefined)[]): HeaderEditor | undefined {
  const present = editors.filter((editor) => editor !== undefined);
  if (present.length <= 1) return present[0];
  return (headers) => present.reduce((edited, edit) => edit(edited), headers);
}
