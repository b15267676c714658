/**
 * The thread that turns segments into blocks, so that building never holds up acknowledgements. It reads the segment's file itself: nothing but names
 * passes between threads. Started by `block-thread.ts`.
 */
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { BlockBuilder } from '../block/block-builder.ts';
import { BlockFactory } from './block-factory.ts';
import { toFailure } from './block-messages.ts';
import type { BlockAnswer, BlockRequest } from './block-messages.ts';

const { directory } = workerData as { readonly directory: string };
const factory = new BlockFactory(new BlockBuilder(), directory);

async function handle(request: BlockRequest): Promise<BlockAnswer> {
  switch (request.kind) {
    case 'prepare':
      await factory.prepare();
      return { ok: true, files: [] };
    case 'build':
      return { ok: true, files: await factory.build(await readFile(request.path), request.segmentId, request.parts) };
    case 'finish':
      await factory.finish(request.paths, request.stored);
      return { ok: true, files: [] };
    case 'forget':
      factory.forgetDays(request.days);
      return { ok: true, files: [] };
  }
}

// One after another: the builder works on one segment, and answers carry no number.
let last = Promise.resolve();
parentPort?.on('message', (request: BlockRequest) => {
  last = last
    .then(() => handle(request))
    .catch((error: unknown): BlockAnswer => ({ ok: false, failure: toFailure(error) }))
    .then((answer) => parentPort?.postMessage(answer));
});
