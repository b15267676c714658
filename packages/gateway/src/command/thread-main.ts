/** Another thread of the gateway: serves requests on the first one's ports and does what that one says. Loaded by `thread-entry.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { ForwardingSinks } from '../telemetry/logs/forwarding-sinks.ts';
import { forwardingLogger } from './forwarding-logger.ts';
import { GatewayUnit } from './gateway-unit.ts';
import type {
  FromThread,
  LeaderAnswers,
  ThreadAnswers,
  ThreadRequest,
  ThreadSetup,
  ToThread,
} from './thread-protocol.ts';

const setup = workerData as ThreadSetup;
const port = parentPort!;
const post = (message: FromThread): void => port.postMessage(message);

const questions = new Map<number, (value: LeaderAnswers[keyof LeaderAnswers]) => void>();
let lastQuestion = 0;

function askLeader<K extends keyof LeaderAnswers>(about: K): Promise<LeaderAnswers[K]> {
  return new Promise((resolve) => {
    questions.set(++lastQuestion, resolve as (value: LeaderAnswers[keyof LeaderAnswers]) => void);
    post({ kind: 'askLeader', call: lastQuestion, about });
  });
}

const unit = new GatewayUnit({
  identity: setup.identity,
  logger: forwardingLogger((line) => post({ kind: 'log', line })),
  meter: new PrometheusMeter(),
  env: setup.env,
  sinks: new ForwardingSinks((lines) =>
    port.postMessage({ kind: 'lines', ...lines } satisfies FromThread, [lines.bytes.buffer]),
  ),
  sharePorts: true,
  leads: false,
  shared: setup.shared,
  share: {
    healthChanged: (change) => post({ kind: 'healthChanged', change }),
  },
  metricsText: () => askLeader('metricsText'),
  upstreams: () => askLeader('upstreams'),
});

const starting = unit.start(setup.config, setup.circuits);

port.on('message', (message: ToThread) => {
  if (message.kind === 'told') {
    questions.get(message.call)?.(message.value);
    questions.delete(message.call);
    return;
  }
  if (message.kind === 'healthChanged') return unit.news.healthChanged(message.change);
  const { call, request } = message;
  answer(request).then(
    (value) => post({ kind: 'answer', call, value }),
    (error: unknown) => post({ kind: 'failure', call, reason: errorMessage(error) }),
  );
});

try {
  await starting;
  post({ kind: 'started' });
} catch (error) {
  post({ kind: 'startFailed', reason: errorMessage(error) });
}

async function answer(request: ThreadRequest): Promise<ThreadAnswers[keyof ThreadAnswers]> {
  // A configuration that comes meanwhile is newer than the one it starts with.
  await starting;
  switch (request.kind) {
    case 'reload':
      unit.reload(request.config, request.circuits);
      return undefined;
    case 'reloadCertificates':
      unit.reloadCertificates();
      return undefined;
    case 'report':
      return { families: await unit.metrics(), upstreams: unit.snapshot().upstreams };
    case 'stop':
      return unit.stop(request.limitMs, request.flushMs);
  }
}
