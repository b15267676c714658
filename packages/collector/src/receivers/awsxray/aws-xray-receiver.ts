import type { Telemetry } from '@clew/base';
import { httpServerShape, resolveHttpServer } from '@clew/net';
import type { SpanBatch } from '@clew/model';
import type { Component, Host, ReceiverOutputs, TracesConsumer } from '@clew/pipeline';
import { decodeDaemonPacket } from '@clew/wire/xray';
import { z } from 'zod';
import { ReceiverListeners } from '../common/listeners.ts';
import { receiverMetrics } from '../common/receiver-metrics.ts';
import type { ReceiverMetrics } from '../common/receiver-metrics.ts';
import { TransportEvents } from '../common/transport-events.ts';
import { UdpListeners } from '../common/udp-listeners.ts';
import { forwardingSettingsOf } from './config.ts';
import type { AwsXrayReceiverConfig } from './config.ts';
import { refuseMethod, rulesHandler, samplingPaths, targetsHandler } from './sampling-http.ts';
import { SamplingAnswers } from './sampling-rule.ts';
import { countSamplingCalls } from './telemetry.ts';

/** A report is a few hundred bytes a rule. */
const maxReportBytes = 256 * 1024;
const proxyDefaults = z.strictObject(httpServerShape({ endpoint: 'localhost:2000' }));

/** Stands where X-Ray SDKs expect the X-Ray daemon: takes segment documents by UDP and answers sampling calls by TCP. */
export class AwsXrayReceiver implements Component {
  readonly #config: AwsXrayReceiverConfig;
  readonly #telemetry: Telemetry;
  readonly #next: TracesConsumer | undefined;
  readonly #metrics: ReceiverMetrics;
  readonly #events: TransportEvents;
  readonly #listeners: ReceiverListeners;
  readonly #udp: UdpListeners;
  readonly #limits;
  #answers: SamplingAnswers | undefined;
  #started = false;

  constructor(id: string, config: AwsXrayReceiverConfig, telemetry: Telemetry, outputs: ReceiverOutputs) {
    this.#config = config;
    this.#telemetry = telemetry;
    this.#next = outputs.traces;
    this.#limits = { maxSpans: config.max_spans_per_request, maxDepth: config.max_value_depth };
    this.#metrics = receiverMetrics(telemetry, id);
    this.#events = new TransportEvents(this.#metrics, 'http');
    this.#listeners = new ReceiverListeners(id, telemetry);
    this.#udp = new UdpListeners(telemetry, this.#metrics);
  }

  async start(host: Host): Promise<void> {
    if (this.#started || this.#next === undefined) return;
    this.#started = true;
    this.#warnOfForwarding();
    try {
      await this.#udp.open(
        { section: 'udp', protocol: 'awsxray', path: '', config: this.#config, decode: this.#decode },
        this.#next,
      );
      if (this.#config.proxy_server.enabled) await this.#openProxy(host);
    } catch (caught) {
      await this.stop(AbortSignal.abort());
      throw caught;
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#started = false;
    await Promise.all([this.#listeners.release(deadline), this.#udp.close()]);
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return {
      listeners: [...this.#udp.snapshot(), ...this.#listeners.snapshot()],
      samplingClients: this.#answers?.clientCount ?? 0,
    };
  }

  readonly #decode = (packet: Uint8Array, batch: SpanBatch): void => {
    decodeDaemonPacket(packet, batch, this.#limits);
  };

  #warnOfForwarding(): void {
    const settings = forwardingSettingsOf(this.#config);
    if (settings.length === 0) return;
    this.#telemetry.logger.warn(
      'Nothing is forwarded to AWS: sampling calls are answered here, by the rule in `sampling`. Settings of forwarding are ignored.',
      { receiver: this.#metrics.receiver, ignored: settings.join(', ') },
    );
  }

  async #openProxy(host: Host): Promise<void> {
    const settings = resolveHttpServer(proxyDefaults.parse({ endpoint: this.#config.proxy_server.endpoint }));
    const events = this.#events;
    const { lease } = await this.#listeners.open(
      { section: 'proxy_server', protocol: 'awsxray_proxy', title: 'X-Ray sampling', settings, events },
      host,
    );
    const { fixed_rate: fixedRate, reservoir_size: reservoirSize } = this.#config.sampling;
    const answers = new SamplingAnswers({ fixedRate, reservoirSize }, Math.floor(Date.now() / 1000));
    this.#answers = answers;
    const onCall = countSamplingCalls(this.#telemetry, this.#metrics.receiver);
    const body = { ...settings, maxBodyBytes: maxReportBytes };
    const handlers = {
      [samplingPaths.rules]: rulesHandler(answers, onCall),
      [samplingPaths.targets]: targetsHandler(answers, events, body, onCall),
    };
    for (const [path, handler] of Object.entries(handlers)) {
      lease.mountHttp({ paths: [path], admit: refuseMethod, handler, onRejected: events.rejected.bind(events) });
    }
  }
}
