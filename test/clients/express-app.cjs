// A service as its author would write it: Express, an outgoing call, an error, and the OpenTelemetry Node SDK with its HTTP and
// Express instrumentation. Where and how it exports is said by the OTEL_* environment variables alone. It calls itself a few
// times, prints the ids of the traces it made and ends.
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
const { trace, SpanStatusCode } = require('@opentelemetry/api');

const sdk = new NodeSDK({ instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()] });
sdk.start();

const http = require('node:http');
const express = require('express');

const tracer = trace.getTracer('user-service', '1.2.3');
const app = express();
const traceIds = new Set();

app.get('/api/users/:id', (request, response, next) => {
  const span = trace.getActiveSpan();
  traceIds.add(span.spanContext().traceId);
  span.setAttribute('user.id', request.params.id);
  tracer.startActiveSpan('load user', (child) => {
    child.setAttributes({
      'user.roles': ['admin', 'käufer'],
      'cache.hit': false,
      'user.score': 0.75,
      'user.visits': 9007199254740991,
    });
    child.addEvent('cache.miss', { 'cache.key': `user:${request.params.id}` });
    const { port } = server.address();
    http.get({ port, host: '127.0.0.1', path: '/internal/profile' }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        if (request.params.id === '13') {
          const error = new Error('no such user');
          child.recordException(error);
          child.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
          child.end();
          next(error);
          return;
        }
        child.end();
        response.json({ id: request.params.id });
      });
    });
  });
});
app.get('/internal/profile', (_request, response) => response.json({ name: 'x' }));
app.use((error, _request, response, _next) => response.status(500).json({ error: error.message }));

function get(path) {
  return new Promise((resolve, reject) => {
    const { port } = server.address();
    http.get({ port, host: '127.0.0.1', path }, (answer) => answer.resume().on('end', resolve)).on('error', reject);
  });
}

const server = app.listen(0, '127.0.0.1', async () => {
  await get('/api/users/42');
  await get('/api/users/13');
  await new Promise((resolve) => server.close(resolve));
  await sdk.shutdown();
  console.log(JSON.stringify([...traceIds]));
});
