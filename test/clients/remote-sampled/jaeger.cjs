// A service of 2018: jaeger-client with its remote sampler, asking an agent for strategies and sending to it over UDP.
'use strict';
const { initTracer } = require('jaeger-client');
const { run } = require('./fleet.cjs');

const tracer = initTracer(
  {
    serviceName: process.env.SERVICE,
    sampler: {
      type: 'remote',
      param: 0.5,
      host: '127.0.0.1',
      port: Number(process.env.SAMPLING_PORT),
      samplingPath: process.env.SAMPLING_PATH,
      refreshIntervalMs: 100,
    },
    reporter: { agentHost: '127.0.0.1', agentPort: Number(process.env.AGENT_PORT), flushIntervalMs: 100 },
  },
  { logger: { info() {}, error: (message) => console.error(message) } },
);

run((operation) => {
  const span = tracer.startSpan(operation);
  const sampled = span.context().isSampled();
  span.finish();
  return sampled;
});
