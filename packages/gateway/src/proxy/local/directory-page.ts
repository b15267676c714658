import { escapeHtml } from './answer.ts';

/** A page that lists a folder; folders among `names` end in a slash. */
export function directoryPage(path: string, names: readonly string[]): string {
  const title = `Index of ${escapeHtml(path)}`;
  const up = path === '/' ? '' : '<li><a href="../">../</a></li>';
  const items = names
    .map((name) => `<li><a href="./${escapeHtml(linkTo(name))}">${escapeHtml(name)}</a></li>`)
    .join('');
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>` +
    `<body><h1>${title}</h1><ul>${up}${items}</ul></body></html>\n`
  );
}

function linkTo(name: string): string {
  const isFolder = name.endsWith('/');
  return encodeURIComponent(isFolder ? name.slice(0, -1) : name) + (isFolder ? '/' : '');
}
