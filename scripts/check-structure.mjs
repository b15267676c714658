// Checks what the folder layout promises: packages import only what the table allows, manifests and
// project references list exactly what is imported, neutral packages touch nothing of Node, and no
// two packages import each other. Fails when it has read no modules, so it cannot pass by reading nothing.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageTable, testOnlyPackages } from './package-table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const problems = [];
const importPattern =
  /(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w*${},\s]+?\s+from\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** All source files of a package, tests included. */
function sources(directory) {
  const found = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (['node_modules', 'dist', '.types', 'testdata'].includes(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) found.push(...sources(path));
    else if (/\.tsx?$/.test(entry.name)) found.push(path);
  }
  return found;
}

const isTest = (path) => /(\.(test|bench)\.tsx?$)|([\\/](test|contract-tests)[\\/])/.test(path);

function platformOf(name, path) {
  const entry = packageTable[name];
  const folder = relative(join(root, 'packages', name, 'src'), path).split(sep)[0];
  return entry.folders?.[folder] ?? entry.platform;
}

let modules = 0;
for (const name of readdirSync(join(root, 'packages'))) {
  const directory = join(root, 'packages', name);
  const entry = packageTable[name];
  if (!entry) {
    problems.push(`packages/${name} is not in scripts/package-table.mjs`);
    continue;
  }
  if (!existsSync(join(directory, 'src'))) continue;
  const used = new Set();
  for (const path of sources(join(directory, 'src'))) {
    modules++;
    const shown = relative(root, path);
    const text = readFileSync(path, 'utf8');
    for (const match of text.matchAll(importPattern)) {
      const target = match[1] ?? match[2];
      if (target.startsWith('node:') && platformOf(name, path) === 'neutral' && !isTest(path)) {
        problems.push(`${shown} imports ${target}, but ${name} must run without Node`);
      }
      if (target.startsWith('.')) {
        const resolved = join(path, '..', target);
        if (!resolved.startsWith(directory + sep)) problems.push(`${shown} imports ${target} outside its own package`);
        continue;
      }
      const workspace = /^@clew\/([a-z]+)/.exec(target)?.[1];
      if (!workspace || workspace === name) continue;
      const testOnly = testOnlyPackages.includes(workspace);
      if (testOnly && isTest(path)) continue;
      if (!testOnly) used.add(workspace);
      if (testOnly) problems.push(`${shown} imports @clew/${workspace}, which only tests may use`);
      else if (!entry.imports.includes(workspace) && !isTest(path)) {
        problems.push(
          `${shown} imports @clew/${workspace}; the table allows ${name} only: ${entry.imports.join(', ') || 'nothing'}`,
        );
      } else if (!entry.imports.includes(workspace)) used.delete(workspace);
    }
  }
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const declared = Object.keys(manifest.dependencies ?? {}).filter((d) => d.startsWith('@clew/'));
  for (const dependency of declared) {
    if (!entry.imports.includes(dependency.slice(6)))
      problems.push(`packages/${name}/package.json declares ${dependency} against the table`);
  }
  for (const dependency of used) {
    if (!declared.includes(`@clew/${dependency}`))
      problems.push(`packages/${name}/package.json does not declare @clew/${dependency}, which its source imports`);
  }
  const config = JSON.parse(readFileSync(join(directory, 'tsconfig.json'), 'utf8'));
  const references = (config.references ?? []).map((r) => r.path.replace('../', '')).sort();
  const wanted = declared.map((d) => d.slice(6)).sort();
  if (references.join() !== wanted.join()) {
    problems.push(
      `packages/${name}/tsconfig.json references [${references.join()}] but package.json depends on [${wanted.join()}]`,
    );
  }
}

if (modules === 0) problems.push('no modules were read: the check did not run');
for (const problem of problems) console.error(problem);
console.log(`structure: ${modules} modules read, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
