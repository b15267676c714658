import { root } from './schema/root.ts';
import { listSettings, renderReference } from './table/reference.ts';

/** Every setting as Markdown, from the same tables that read configurations. */
export function gatewayReference(): string {
  return renderReference(root.doc);
}

/**
 * The settings of one block as plain text, for a command line: `gatewaySettings('upstreams', 'upstream')`; no names mean the
 * top level. Undefined when there is no such block.
 */
export function gatewaySettings(...path: readonly string[]): string | undefined {
  return listSettings(root.doc, path);
}
