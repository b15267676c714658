// Two services of one program's making: api-service answers users and asks payment-service, which fails for one of them. Prints the
// trace ids of its requests and ends.
const express = require('express');
const axios = require('axios');
const { serviceTracer } = require('./tracing.cjs');
const { tracingMiddleware } = require('./middleware.cjs');
const { callDownstreamService } = require('./propagation.cjs');

const prefix = process.env.SERVICE_PREFIX ?? '';
const apiTracer = serviceTracer(`${prefix}api-service`);
const paymentTracer = serviceTracer(`${prefix}payment-service`);
const traceIds = [];

const payments = express();
payments.use(tracingMiddleware(paymentTracer));
payments.use(express.json());
payments.post('/payments', (request, response) => {
  setTimeout(() => response.status(request.body.user === '13' ? 500 : 200).json({}), Number(request.body.delayMs));
});

const api = express();
api.use(tracingMiddleware(apiTracer));
api.get('/api/users/:id', async (request, response) => {
  const { id } = request.params;
  traceIds.push(request.span.context().toTraceId());
  const span = apiTracer.startSpan('fetch-user', { childOf: request.span });
  span.setTag('user.id', id);
  span.setTag('big', 9007199254740991);
  try {
    const url = `http://127.0.0.1:${paymentServer.address().port}/payments`;
    await callDownstreamService(apiTracer, span, url, { user: id, delayMs: id === 'slow' ? 1200 : 0 });
    response.json({ id });
  } catch (error) {
    response.status(500).json({ error: error.message });
  } finally {
    span.finish();
  }
});

const listen = (app) =>
  new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
const close = (closable) => new Promise((resolve) => closable.close(resolve));
let paymentServer;

async function main() {
  paymentServer = await listen(payments);
  const apiServer = await listen(api);
  for (const id of ['42', '13', 'slow']) {
    const url = `http://127.0.0.1:${apiServer.address().port}/api/users/${id}`;
    const headers = id === '13' ? { 'jaeger-debug-id': 'case-13' } : {};
    await axios.get(url, { headers, validateStatus: () => true });
  }
  await Promise.all([apiServer, paymentServer].map(close));
  await Promise.all([apiTracer, paymentTracer].map(close));
  console.log(JSON.stringify(traceIds));
}

void main();
