import { fromPlain, toPlain } from '@clew/model';
import type { PlainSpan, SpanBatch } from '@clew/model';
import { describe, expect, it } from 'vitest';
import type { Component, ConnectorFactory, Host, ProcessorFactory } from '../component.ts';
import { Refusal } from '../consumer.ts';
import type { TracesConsumer } from '../consumer.ts';
import { describeLifecycle } from './lifecycle.ts';
import { RecordingConsumer, TestHost, farDeadline, sampleSpans, settingsFor, spanIds, testContext } from './support.ts';

/** What the suite must know of a processor. */
export interface ProcessorContract<Config> {
  readonly factory: ProcessorFactory<Config>;
  /** Settings under which {@link sampleSpans} pass unchanged. */
  readonly settings: unknown;
  /** Settings and spans that the processor changes. */
  readonly changing?: { readonly settings: unknown; readonly spans: readonly PlainSpan[] };
  /** Settings under which all of these spans are dropped. */
  readonly dropping?: { readonly settings: unknown; readonly spans: readonly PlainSpan[] };
  /** True when it acknowledges before passing on, so that a later refusal cannot reach the sender. */
  readonly acknowledgesEarly?: boolean;
  readonly host?: () => Host;
}

/** The contract every processor keeps. */
export function describeProcessorContract<Config>(contract: ProcessorContract<Config>): void {
  const { factory } = contract;
  describeTransit(`the processor ${factory.type} keeps the contract of processors`, contract, (settings, next) =>
    factory.create(settingsFor(factory, settings), next),
  );
}

/** What the suite must know of a connector from traces to traces. */
export interface ConnectorContract<Config> extends Omit<ProcessorContract<Config>, 'factory'> {
  readonly factory: ConnectorFactory<Config>;
}

/** The contract every connector from traces to traces keeps. */
export function describeConnectorContract<Config>(contract: ConnectorContract<Config>): void {
  const { factory } = contract;
  describeTransit(`the connector ${factory.type} keeps the contract of connectors`, contract, (settings, next) =>
    factory.create(settingsFor(factory, settings), { traces: next }),
  );
}

type Make = (settings: unknown, next: TracesConsumer) => Component & TracesConsumer;

function describeTransit(title: string, contract: Omit<ProcessorContract<never>, 'factory'>, make: Make): void {
  const early = contract.acknowledgesEarly === true;
  const newHost = contract.host ?? (() => new TestHost());

  async function running(settings: unknown = contract.settings) {
    const next = new RecordingConsumer();
    if (early) next.durable = { kind: 'memory', why: 'a test' };
    const processor = make(settings, next);
    await processor.start(newHost());
    return { next, processor, stop: () => processor.stop(farDeadline()) };
  }

  async function leavesInputAlone(settings: unknown, spans: readonly PlainSpan[]): Promise<void> {
    const { processor, stop } = await running(settings);
    if (processor.mutatesData) return stop();
    const batch: SpanBatch = fromPlain(spans);
    const before = toPlain(batch);
    await processor.consumeTraces(batch, testContext());
    expect(toPlain(batch)).toEqual(before);
    return stop();
  }

  describe(title, () => {
    describeLifecycle(() => make(contract.settings, new RecordingConsumer()), newHost);

    if (!early) {
      it('lets a refusal of what follows reach the sender as it is', async () => {
        const { next, processor, stop } = await running();
        for (const refusal of [
          new Refusal('unavailable', 'busy', { retryAfterMs: 7 }),
          new Refusal('permanent', 'never'),
          new Refusal('resource_exhausted', 'full'),
        ]) {
          next.refuse = () => refusal;
          const { code, retryAfterMs } = refusal;
          await expect(processor.consumeTraces(fromPlain(sampleSpans(3)), testContext())).rejects.toMatchObject({
            code,
            retryAfterMs,
          });
        }
        await stop();
      });
    }

    it('passes the question of admission on', async () => {
      const { next, processor, stop } = await running();
      expect(processor.admit(100)).toBeUndefined();
      next.admission = new Refusal('unavailable', 'not now');
      expect(processor.admit(100)).toBe(next.admission);
      await stop();
    });

    it('promises no more than what follows promises', () => {
      const next = new RecordingConsumer();
      next.durable = { kind: 'memory', why: 'a test' };
      expect(make(contract.settings, next).durability().kind).not.toBe('durable');
    });

    it('passes data that is none of its business on unchanged, each span once', async () => {
      const { next, processor, stop } = await running();
      const spans = sampleSpans(20);
      await processor.consumeTraces(fromPlain(spans), testContext());
      await stop();
      expect(next.spans).toEqual(spans);
    });

    it('loses and doubles nothing when many batches come at once', async () => {
      const { next, processor, stop } = await running();
      const sent = Array.from({ length: 50 }, (_, index) => sampleSpans((index % 7) + 1));
      await Promise.all(sent.map((spans) => processor.consumeTraces(fromPlain(spans), testContext())));
      await stop();
      expect(spanIds(next.spans)).toEqual(spanIds(sent.flat()));
    });

    it('changes its input only when it says that it does', async () => {
      await leavesInputAlone(contract.settings, sampleSpans(5));
      const { changing, dropping } = contract;
      if (changing !== undefined) await leavesInputAlone(changing.settings, changing.spans);
      if (dropping !== undefined) await leavesInputAlone(dropping.settings, dropping.spans);
    });

    it('does nothing with data or next before it is given a batch', async () => {
      const { next, stop } = await running();
      await stop();
      expect(next.calls).toBe(0);
    });

    const { dropping } = contract;
    if (dropping !== undefined) {
      it('succeeds without passing anything on when nothing is left', async () => {
        const { next, processor, stop } = await running(dropping.settings);
        next.refuse = () => new Refusal('permanent', 'must not be called');
        await processor.consumeTraces(fromPlain(dropping.spans), testContext());
        await stop();
        expect(next.calls).toBe(0);
      });
    }
  });
}
