import type { Telemetry } from '@clew/base';
import { resolveHttpServer } from '@clew/net';
import type { Component, Host, ReceiverOutputs } from '@clew/pipeline';
import { httpIngest } from '../common/http-ingest.ts';
import { ReceiverListeners } from '../common/listeners.ts';
import { receiverMetrics } from '../common/receiver-metrics.ts';
import { SpanIngest } from '../common/span-ingest.ts';
import { TransportEvents } from '../common/transport-events.ts';
import type { ZipkinReceiverConfig } from './config.ts';
import { zipkinDialect } from './zipkin-http.ts';

/** Receives what Zipkin's clients post, versions 1 and 2, JSON, Thrift and protobuf, on any path. */
export class ZipkinReceiver implements Component {
  readonly #config: ZipkinReceiverConfig;
  readonly #outputs: ReceiverOutputs;
  readonly #events: TransportEvents;
  readonly #listeners: ReceiverListeners;
  #started = false;

  constructor(id: string, config: ZipkinReceiverConfig, telemetry: Telemetry, outputs: ReceiverOutputs) {
    this.#config = config;
    this.#outputs = outputs;
    this.#events = new TransportEvents(receiverMetrics(telemetry, id), 'http');
    this.#listeners = new ReceiverListeners(id, telemetry);
  }

  async start(host: Host): Promise<void> {
    const next = this.#outputs.traces;
    if (this.#started || next === undefined) return;
    this.#started = true;
    const settings = resolveHttpServer(this.#config);
    const events = this.#events;
    try {
      const { lease, authenticate } = await this.#listeners.open(
        { section: 'http', protocol: 'zipkin', title: 'HTTP', settings, events },
        host,
      );
      const dialect = zipkinDialect({
        limits: { maxSpans: this.#config.max_spans_per_request },
        parseStringTags: this.#config.parse_string_tags,
      });
      lease.mountHttp({
        ...httpIngest(new SpanIngest(next, events), events, settings, dialect),
        paths: ['/*'],
        responseHeaders: settings.responseHeaders,
        onRejected: events.rejected.bind(events),
        ...(settings.cors ? { cors: settings.cors } : {}),
        ...(authenticate ? { authenticate } : {}),
      });
    } catch (caught) {
      await this.stop(AbortSignal.abort());
      throw caught;
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#started = false;
    await this.#listeners.release(deadline);
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { listeners: this.#listeners.snapshot() };
  }
}
