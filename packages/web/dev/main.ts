// `node packages/web/dev/main.ts [port]` after `npx vite build packages/web`: the page on made-up traces.
import { webDistDirectory } from '../src/assets.ts';
import { createControls } from './fake-api.ts';
import { FakeStore } from './fake-store.ts';
import { startFakeServer } from './server.ts';

const store = FakeStore.filled({ nowUnixMs: Date.now(), traces: 400, largeSpans: 100_000 });
const server = await startFakeServer({
  controls: createControls(store),
  distDirectory: webDistDirectory,
  port: Number(process.argv[2] ?? 5173),
});
console.log(`the page on made-up traces: ${server.origin}`);
