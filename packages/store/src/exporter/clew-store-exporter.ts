import type { SpanBatch } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import type { Component, ConsumeContext, Durability, Host, TracesConsumer } from '@clew/pipeline';
import { StoreError } from '../errors.ts';
import { isClewStorage } from '../storage/capability.ts';
import type { ClewStorage } from '../storage/capability.ts';
import { toRefusal } from './to-refusal.ts';

/**
 * Ends a pipeline in the store. There is no queue: the promise settles when the batch is in the journal, so "acknowledged" means durable, and the
 * journal does the batching.
 */
export class ClewStoreExporter implements Component, TracesConsumer {
  readonly mutatesData = false;
  readonly #id: string;
  #storage: ClewStorage | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  async start(host: Host): Promise<void> {
    const storage = host.capability(isClewStorage);
    if (storage === undefined) {
      throw new StoreError(
        'invalid_argument',
        `the exporter ${this.#id} needs somewhere to store: add the extension clew_storage to extensions and to service::extensions`,
      );
    }
    this.#storage = storage;
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    this.#storage = undefined;
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { running: this.#storage !== undefined };
  }

  durability(): Durability {
    return { kind: 'durable' };
  }

  admit(requestBytes: number): Refusal | undefined {
    if (this.#storage === undefined) return notRunning(this.#id);
    const refusal = this.#storage.refusal(requestBytes);
    return refusal === undefined ? undefined : toRefusal(refusal);
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    if (this.#storage === undefined) throw notRunning(this.#id);
    if (context.signal?.aborted === true)
      throw new Refusal('cancelled', 'the sender gave up before its spans were stored');
    try {
      await this.#storage.append(batch, context);
    } catch (error) {
      throw toRefusal(error);
    }
  }
}

function notRunning(id: string): Refusal {
  return new Refusal('unavailable', `the exporter ${id} is not running; send again in a moment`, {
    retryAfterMs: 1000,
  });
}
