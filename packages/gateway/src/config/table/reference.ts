import type { BlockDoc, FieldDoc } from './reader.ts';

/** One block of the reference: where it is written and what it holds. */
interface Section {
  readonly path: string;
  readonly block: BlockDoc;
}

/**
 * The settings below `root` as Markdown, one table a block in the order they would be written. A block that occurs in
 * several places is described at the first.
 */
export function renderReference(root: BlockDoc): string {
  const seen = new Map<BlockDoc, string>();
  const parts = collect(root).map((section) => {
    const known = seen.get(section.block);
    seen.set(section.block, known ?? section.path);
    return known === undefined ? renderSection(section) : `### ${title(section)}\n\nAs ${code(known)}.`;
  });
  return `${parts.join('\n\n')}\n`;
}

/** The settings of the block at `path` (names separated by spaces, none for the top level) as plain text; undefined if there is none. */
export function listSettings(root: BlockDoc, path: readonly string[] = []): string | undefined {
  const wanted = path.join(' ');
  const found = collect(root).find((section) => section.path.replaceAll(/ "[^"]*"/g, '') === wanted);
  if (found === undefined) return undefined;
  const rows = found.block.fields.map((field) => [names(field), describe(field)] as const);
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [found.path === '' ? 'Blocks of a configuration:' : `Settings of ${found.path}:`, '', ...lines, ''].join('\n');
}

function names({ name, aliases }: FieldDoc): string {
  return [name, ...aliases].join(', ');
}

function describe({ text, type, defaultText, required }: FieldDoc): string {
  const rest = [type, required ? 'required' : '', defaultText === undefined ? '' : `default ${defaultText}`];
  return `${text} (${rest.filter((part) => part !== '').join('; ')})`;
}

function collect(root: BlockDoc): Section[] {
  const sections: Section[] = [];
  const visit = (path: string, block: BlockDoc): void => {
    if (block.fields.length > 0 || Object.keys(block.unsupported).length > 0) sections.push({ path, block });
    for (const field of block.fields) {
      for (const [key, inner] of field.nested ?? []) visit(nestedPath(path, field.name, key), inner);
    }
  };
  visit('', root);
  return sections;
}

function nestedPath(path: string, name: string, key: string): string {
  return [path, name, key].filter((part) => part !== '').join(' ');
}

function title({ path }: Section): string {
  return path === '' ? 'The top level' : code(path);
}

function renderSection(section: Section): string {
  const { fields, unsupported } = section.block;
  const lines = [`### ${title(section)}`, ''];
  if (fields.length > 0) {
    lines.push('| Name | Value | Default | Meaning |', '| --- | --- | --- | --- |');
    for (const field of fields) lines.push(renderRow(field));
  }
  const ignored = Object.entries(unsupported).map(([name, purpose]) => `${code(name)} (${purpose})`);
  if (ignored.length > 0)
    lines.push(...(fields.length > 0 ? [''] : []), `Recognised without effect: ${ignored.join(', ')}.`);
  return lines.join('\n');
}

function renderRow(field: FieldDoc): string {
  const name = [field.name, ...field.aliases].map(code).join(', ');
  const fallback = field.required ? 'required' : field.defaultText === undefined ? '' : code(field.defaultText);
  return `| ${[name, field.type, fallback, field.text].map(cell).join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function code(text: string): string {
  return `\`${text}\``;
}
