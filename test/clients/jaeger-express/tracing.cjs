// The tracer of a service that was instrumented years ago: jaeger-client with an agent's host and port, as every guide of that
// time shows it. The port is the one of compact Thrift; the client sends binary there.
const { initTracer } = require('jaeger-client');

function serviceTracer(serviceName) {
  const config = {
    serviceName,
    sampler: { type: 'const', param: 1 },
    reporter: {
      logSpans: false,
      agentHost: process.env.JAEGER_AGENT_HOST || 'localhost',
      agentPort: Number(process.env.JAEGER_AGENT_PORT || 6831),
      ...(process.env.JAEGER_ENDPOINT ? { collectorEndpoint: process.env.JAEGER_ENDPOINT } : {}),
      flushIntervalMs: 100,
    },
  };
  return initTracer(config, {});
}

module.exports = { serviceTracer };
