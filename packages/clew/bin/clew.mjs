#!/usr/bin/env node
import module from 'node:module';

// The command `clew`. Kept tiny and plain so that it can say what is wrong on a Node that is too old.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `clew needs Node 22.18 or newer and this is ${process.version}; \`npm start\` in the repository brings its own.`,
  );
  process.exit(1);
}
// Compiled sources are kept between runs: starting again takes half the time.
module.enableCompileCache?.();
const { main } = await import('../src/main.ts');
process.exitCode = await main(process.argv.slice(2));
