import { Worker } from 'node:worker_threads';
import { StoreError } from '../errors.ts';
import type { Segment } from '../journal/segment.ts';
import { fromFailure } from './block-messages.ts';
import type { BlockAnswer, BlockRequest } from './block-messages.ts';
import type { BlockFile, RecordPart, SegmentBlocks } from './segment-blocks.ts';

/**
 * Has blocks built in a thread of its own. A thread that ends unasked fails what it was doing with `engine_unavailable`, so that it is tried
 * again, in a new one.
 */
export class BlockThread implements SegmentBlocks {
  readonly #directory: string;
  #worker: Worker | undefined;
  #waiting: PromiseWithResolvers<readonly BlockFile[]>[] = [];

  /** `directory` is where block files lie while they are inserted. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async prepare(): Promise<void> {
    await this.#ask({ kind: 'prepare' });
  }

  async build(segment: Segment, parts?: readonly RecordPart[]): Promise<BlockFile[]> {
    return [...(await this.#ask({ kind: 'build', path: segment.path, segmentId: segment.id, parts }))];
  }

  async finish(files: readonly BlockFile[], stored: boolean): Promise<void> {
    await this.#ask({ kind: 'finish', paths: files.map((file) => file.path), stored });
  }

  async forgetDays(days: readonly number[]): Promise<void> {
    // A thread that does not run has announced nothing.
    if (this.#worker !== undefined) await this.#ask({ kind: 'forget', days });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #ask(request: BlockRequest): Promise<readonly BlockFile[]> {
    this.#worker ??= this.#start();
    const answer = Promise.withResolvers<readonly BlockFile[]>();
    this.#waiting.push(answer);
    this.#worker.postMessage(request);
    return answer.promise;
  }

  #start(): Worker {
    // From source the entry is TypeScript, in the published package JavaScript.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./block-worker.${extension}`, import.meta.url), {
      workerData: { directory: this.#directory },
    });
    worker.on('message', (answer: BlockAnswer) => {
      const waiting = this.#waiting.shift();
      if (answer.ok) waiting?.resolve(answer.files);
      else waiting?.reject(fromFailure(answer.failure));
    });
    let reason = 'it ended';
    worker.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => this.#lost(worker, reason));
    return worker;
  }

  #lost(worker: Worker, reason: string): void {
    if (this.#worker === worker) this.#worker = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    const error = new StoreError(
      'engine_unavailable',
      `the thread that prepares spans for the engine went away (${reason}); it is started again`,
    );
    for (const { reject } of waiting) reject(error);
  }
}
