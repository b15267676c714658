import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Compares a text with the file of that name in `testdata`; with `CLEW_UPDATE=1` writes it instead. */
export function expectGolden(name: string, text: string): void {
  const path = fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
  if (process.env['CLEW_UPDATE'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  expect(existsSync(path), `${name} is missing: run the test once with CLEW_UPDATE=1 and read the difference`).toBe(
    true,
  );
  expect(text).toBe(readFileSync(path, 'utf8'));
}
