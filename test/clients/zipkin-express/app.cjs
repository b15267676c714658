// A service instrumented with zipkin-js as its guides show it: a CLS context, the Express middleware, and a logger that is given
// the path of version 2 and sends version 1, its default. Two services, one calling the other with B3 headers.
const express = require('express');
const axios = require('axios');
const CLSContext = require('zipkin-context-cls');
const { BatchRecorder, Instrumentation, Tracer, jsonEncoder } = require('zipkin');
const { HttpLogger } = require('zipkin-transport-http');
const { expressMiddleware } = require('zipkin-instrumentation-express');

const prefix = process.env.SERVICE_PREFIX ?? '';
const endpoint = process.env.ZIPKIN_ENDPOINT ?? 'http://localhost:9411/api/v2/spans';
const encoding = process.env.ZIPKIN_ENCODING === 'v2' ? { jsonEncoder: jsonEncoder.JSON_V2 } : {};

function serviceTracer(name) {
  const logger = new HttpLogger({
    endpoint,
    headers: { 'Content-Type': 'application/json' },
    httpInterval: 100,
    ...encoding,
  });
  const recorder = new BatchRecorder({ logger });
  return new Tracer({ recorder, ctxImpl: new CLSContext(name, true), localServiceName: `${prefix}${name}` });
}

const apiTracer = serviceTracer('api-service');
const paymentTracer = serviceTracer('payment-service');
const traceIds = [];

const payments = express();
payments.use(expressMiddleware({ tracer: paymentTracer }));
payments.get('/payments/:user', (request, response) => {
  response.status(request.params.user === '13' ? 500 : 200).json({});
});

const api = express();
api.use(expressMiddleware({ tracer: apiTracer }));
api.get('/api/users/:id', async (request, response) => {
  traceIds.push(apiTracer.id.traceId);
  apiTracer.recordMessage('cache.miss');
  apiTracer.recordBinary('user.id', request.params.id);
  const status = await callPayments(request.params.id);
  response.status(status).json({ id: request.params.id });
});

/** A client span around a call, whose B3 headers the other side continues. */
function callPayments(user) {
  const url = `http://127.0.0.1:${paymentServer.address().port}/payments/${user}`;
  const client = new Instrumentation.HttpClient({ tracer: apiTracer, remoteServiceName: `${prefix}payment-service` });
  return apiTracer.scoped(async () => {
    const { headers } = client.recordRequest({ headers: {} }, url, 'GET');
    const spanId = apiTracer.id;
    const { status } = await axios.get(url, { headers, validateStatus: () => true });
    apiTracer.scoped(() => client.recordResponse(spanId, status));
    return status;
  });
}

const listen = (app) =>
  new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
const close = (server) => new Promise((resolve) => server.close(resolve));
let paymentServer;

async function main() {
  paymentServer = await listen(payments);
  const apiServer = await listen(api);
  for (const id of ['42', '13']) {
    await axios.get(`http://127.0.0.1:${apiServer.address().port}/api/users/${id}`, { validateStatus: () => true });
  }
  await Promise.all([apiServer, paymentServer].map(close));
  console.log(JSON.stringify(traceIds));
  // The recorders send at their intervals, and nothing tells when they have: the program lives until it is ended.
  setInterval(() => {}, 60_000);
}

void main();
