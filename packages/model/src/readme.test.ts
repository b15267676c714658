import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const snippets = [...readme.matchAll(/^## (.+)$|^```ts\n([\s\S]*?)^```$/gm)];

describe('the README', () => {
  let heading = '';
  for (const [, title, code] of snippets) {
    if (title !== undefined) heading = title;
    if (code === undefined) continue;
    it(`has a snippet under "${heading}" that runs as printed`, async () => {
      const lines: unknown[][] = [];
      const print = { log: (...values: unknown[]) => lines.push(values) };
      await run(code, print);
      expect(lines.length).toBeGreaterThan(0);
    });
  }

  it('names only things that are exported', async () => {
    const model: Readonly<Record<string, unknown>> = await import('./index.ts');
    const table = /## Which one[\s\S]*?(?=\n## )/.exec(readme)?.[0] ?? '';
    const names = [...table.matchAll(/`(\w+)`/g)].map((match) => match[1]!);
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) expect(model, name).toHaveProperty(name);
  });
});

/** Runs a snippet as a module, with its own `console`. */
async function run(code: string, print: { log(...values: unknown[]): void }): Promise<void> {
  const url = new URL('index.ts', import.meta.url).href;
  const body = stripTypeScriptTypes(code).replaceAll("'@clew/model'", `'${url}'`);
  const key = Symbol.for('clew.readme.console');
  Object.assign(globalThis, { [key]: print });
  const module = `const console = globalThis[Symbol.for('clew.readme.console')];\n${body}`;
  await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(module)}`);
}
