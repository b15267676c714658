// A service of today: the OpenTelemetry SDK with its Jaeger remote sampler, exporting OTLP.
'use strict';
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { JaegerRemoteSampler } = require('@opentelemetry/sampler-jaeger-remote');
const { BatchSpanProcessor, NodeTracerProvider, TraceIdRatioBasedSampler } = require('@opentelemetry/sdk-trace-node');
const { run } = require('./fleet.cjs');

const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${process.env.OTLP_PORT}/v1/traces` });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.SERVICE }),
  sampler: new JaegerRemoteSampler({
    endpoint: `http://127.0.0.1:${process.env.SAMPLING_PORT}`,
    serviceName: process.env.SERVICE,
    initialSampler: new TraceIdRatioBasedSampler(0.5),
    poolingInterval: 100,
  }),
  spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 100 })],
});
const tracer = provider.getTracer('shop');

run((operation) => {
  const span = tracer.startSpan(operation);
  const sampled = (span.spanContext().traceFlags & 1) === 1;
  span.end();
  return sampled;
});
