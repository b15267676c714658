/**
 * An edge worker: accepts connections, decodes requests, runs stateless processors and hands batches over to the main thread.
 * Loaded by `edge-worker.ts` in a thread that `edge-thread.ts` starts and leads.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { PrometheusMeter } from '@clew/base/node';
import { collectorFactories } from '@clew/collector';
import { ComponentRegistry } from '@clew/pipeline';
import { SharedAdmission } from './admission.ts';
import { BatchSender } from './batch-sender.ts';
import { ForwardingLogger } from './forwarding-logger.ts';
import { failureData, statusData } from './protocol.ts';
import type { ControlMessage, ControlRequest, WorkerMessage, WorkerReport, WorkerSetup } from './protocol.ts';
import { WorkerPlaces } from './worker-places.ts';

/** How often main is told what has changed. */
const reportIntervalMs = 250;

const { setup, batchPort } = workerData as { readonly setup: WorkerSetup; readonly batchPort: MessagePort };
const control = parentPort!;
const post = (message: WorkerMessage): void => control.postMessage(message);
const meter = new PrometheusMeter();
const places = new WorkerPlaces({
  index: setup.index,
  registry: new ComponentRegistry(collectorFactories),
  telemetry: { logger: new ForwardingLogger(post, setup.logLevel, { worker: setup.index }), meter },
  sender: new BatchSender(batchPort, new SharedAdmission()),
  onStatus: (place, key, status) => post({ kind: 'status', place, key, status: statusData(status) }),
});

async function report(): Promise<WorkerReport> {
  const { heapUsed, external } = process.memoryUsage();
  return { details: places.details(), families: await meter.collect(), heldBytes: heapUsed + external };
}

async function handle(request: ControlRequest, deadline: AbortSignal): Promise<void> {
  switch (request.kind) {
    case 'load':
      return places.load(request);
    case 'start':
      return places.start(request.place, request.key, request.checkFree);
    case 'stop':
      return places.stop(request.place, request.key, deadline);
    case 'unload':
      return places.unload(request.place);
    case 'report':
      return post({ kind: 'report', report: await report() });
  }
}

async function answer(call: number, request: ControlRequest, deadline: AbortSignal): Promise<void> {
  try {
    await handle(request, deadline);
    post({ kind: 'answer', call });
  } catch (caught) {
    post({ kind: 'answer', call, failure: failureData(caught) });
  }
}

const deadlines = new Map<number, AbortController>();
let turn = Promise.resolve();

control.on('message', (message: ControlMessage) => {
  if (message.kind === 'expire') return deadlines.get(message.call)?.abort();
  const { call, request } = message;
  const deadline = new AbortController();
  if (request.kind === 'stop' && request.expired) deadline.abort();
  deadlines.set(call, deadline);
  const run = (): Promise<void> => answer(call, request, deadline.signal).finally(() => deadlines.delete(call));
  // Starting and stopping happens in order; looking does not wait for it.
  if (request.kind === 'report') void run();
  else turn = turn.then(run);
});

let lastDetails = '';
setInterval(() => {
  const details = JSON.stringify(places.details(), (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  if (details === lastDetails) return;
  lastDetails = details;
  void report().then((changed) => post({ kind: 'report', report: changed }));
}, reportIntervalMs);
