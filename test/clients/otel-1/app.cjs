// A service on the last line of the OpenTelemetry SDK that has a Jaeger exporter, set up as its guides show it.
const { trace } = require('@opentelemetry/api');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { Resource } = require('@opentelemetry/resources');
const { JaegerExporter } = require('@opentelemetry/exporter-jaeger');
const { BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');

const provider = new NodeTracerProvider({
  resource: new Resource({
    'service.name': process.env.SERVICE_NAME ?? 'my-service',
    'deployment.environment': 'test',
  }),
});
const exporter = new JaegerExporter(
  process.env.JAEGER_UDP_PORT
    ? { host: '127.0.0.1', port: Number(process.env.JAEGER_UDP_PORT) }
    : { endpoint: process.env.JAEGER_ENDPOINT ?? 'http://localhost:14268/api/traces' },
);
provider.addSpanProcessor(new BatchSpanProcessor(exporter));
provider.register();
registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()] });

const http = require('node:http');
const express = require('express');

const traceIds = [];
const fetchUsers = (fail) =>
  fail ? Promise.reject(new Error('database is gone')) : Promise.resolve([{ id: 1 }, { id: 2 }]);

const app = express();
app.get('/api/users', async (request, response) => {
  const span = trace.getTracer('my-service', '1.2.3').startSpan('get_users');
  traceIds.push(span.spanContext().traceId);
  try {
    const users = await fetchUsers(request.query.fail === 'yes');
    span.setAttributes({ 'user.count': users.length, 'user.roles': ['admin', 'guest'] });
    response.json({ users });
  } catch (error) {
    span.recordException(error);
    span.setStatus({ code: 2, message: error.message });
    response.status(500).json({ error: error.message });
  } finally {
    span.end();
  }
});

function get(path) {
  return new Promise((resolve, reject) => {
    const { port } = server.address();
    http.get({ port, host: '127.0.0.1', path }, (answer) => answer.resume().on('end', resolve)).on('error', reject);
  });
}

const server = app.listen(0, '127.0.0.1', async () => {
  await get('/api/users');
  await get('/api/users?fail=yes');
  await new Promise((resolve) => server.close(resolve));
  await provider.shutdown();
  console.log(JSON.stringify(traceIds));
});
