import type { Logger } from '@clew/base';
import { LogSampler, createLogger } from '@clew/base/node';
import type { RootLogger } from '@clew/base/node';
import type { SpanBatch } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import type { Component, CreateSettings, Durability, TracesConsumer } from '@clew/pipeline';
import type { DebugConfig } from './config.ts';
import { detailedText, normalText, resourceCount } from './format.ts';

/** Length of the window in which identical messages are counted, in milliseconds. */
const samplingTickMs = 1000;

/** Prints what it is given. */
export class DebugExporter implements Component, TracesConsumer {
  readonly mutatesData = false;
  readonly #id: string;
  readonly #config: DebugConfig;
  readonly #sampler: LogSampler;
  #logger: Logger;
  #own: RootLogger | undefined;
  #state: 'idle' | 'running' | 'stopped' = 'idle';
  #printedSpans = 0;

  constructor({ id, config, telemetry }: CreateSettings<DebugConfig>) {
    this.#id = id;
    this.#config = config;
    this.#logger = telemetry.logger;
    const { sampling_initial: initial, sampling_thereafter: thereafter } = config;
    this.#sampler = new LogSampler({ enabled: true, tickMs: samplingTickMs, initial, thereafter });
  }

  start(): Promise<void> {
    if (this.#state !== 'idle') return Promise.resolve();
    this.#state = 'running';
    if (!this.#config.use_internal_logger) {
      const sampling = { enabled: false, tickMs: samplingTickMs, initial: 0, thereafter: 0 };
      this.#own = createLogger({ outputPaths: this.#config.output_paths ?? ['stdout'], sampling });
      this.#logger = this.#own;
    }
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#state = 'stopped';
    this.#own?.flush();
    return Promise.resolve();
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { verbosity: this.#config.verbosity, printedSpans: this.#printedSpans };
  }

  durability(): Durability {
    return { kind: 'none', why: `exporter "${this.#id}" only prints` };
  }

  admit(): undefined {
    return undefined;
  }

  consumeTraces(batch: SpanBatch): Promise<void> {
    if (this.#state === 'stopped')
      return Promise.reject(new Refusal('unavailable', `exporter "${this.#id}" has stopped`));
    this.#print('Traces', { 'resource spans': resourceCount(batch), spans: batch.count });
    if (this.#config.verbosity === 'normal') this.#print(normalText(batch));
    if (this.#config.verbosity === 'detailed') this.#print(detailedText(batch));
    this.#printedSpans += batch.count;
    return Promise.resolve();
  }

  #print(message: string, fields?: Readonly<Record<string, unknown>>): void {
    if (this.#sampler.allows('info', message)) this.#logger.info(message, fields);
  }
}
