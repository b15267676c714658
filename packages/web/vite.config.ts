import react from '@vitejs/plugin-react';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

const compressible = /\.(js|css|html|svg|json|txt)$/;
/** Below this the headers cost more than compression saves. */
const smallestBytes = 1024;

/** Writes `.br` and `.gz` beside every text file of the build, so that no server compresses at run time. */
function precompress(): Plugin {
  let directory = '';
  return {
    name: 'clew-precompress',
    apply: 'build',
    configResolved(config) {
      directory = config.build.outDir.startsWith('/') ? config.build.outDir : join(config.root, config.build.outDir);
    },
    async closeBundle() {
      for (const path of await readdir(directory, { recursive: true })) {
        const file = join(directory, path);
        // index.html is served with the base path filled in, so it is never sent as stored.
        if (!compressible.test(path) || path === 'index.html' || (await stat(file)).size < smallestBytes) continue;
        const bytes = await readFile(file);
        const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, { params: quality }));
        await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

export default defineConfig({
  // Relative, so that one build serves below any base path; index.html carries <base href>.
  base: './',
  plugins: [react(), precompress()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  css: { modules: { generateScopedName: '[name]_[local]_[hash:base64:4]' } },
});
