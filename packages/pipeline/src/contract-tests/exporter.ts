import { fromPlain } from '@clew/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExporterFactory, Host } from '../component.ts';
import { Refusal } from '../consumer.ts';
import { describeLifecycle } from './lifecycle.ts';
import { TestHost, eventually, farDeadline, sampleSpans, settingsFor, spanIds, testContext } from './support.ts';

/** The other end of an exporter, made by the test. */
export interface ExporterPeer {
  /** Settings that lead to this peer. Waiting times must be short. */
  readonly settings: unknown;
  /** Ids of all spans received, sorted. */
  received(): readonly string[];
  /** How later requests are answered; leave out when the peer cannot refuse. */
  answer?(how: 'accept' | 'retryable' | 'permanent'): void;
  /** Requests seen, refused ones included; needed with `answer`. */
  requests?(): number;
  close(): Promise<void>;
}

/** What the suite must know of an exporter. */
export interface ExporterContract<Config> {
  readonly factory: ExporterFactory<Config>;
  open(): Promise<ExporterPeer>;
  readonly host?: () => Host;
}

/** The contract every exporter keeps. */
export function describeExporterContract<Config>({ factory, open, host }: ExporterContract<Config>): void {
  const newHost = host ?? (() => new TestHost());

  describe(`the exporter ${factory.type} keeps the contract of exporters`, () => {
    let peer: ExporterPeer;
    beforeEach(async () => {
      peer = await open();
    });
    afterEach(() => peer.close());

    async function running() {
      const exporter = factory.create(settingsFor(factory, peer.settings));
      await exporter.start(newHost());
      return exporter;
    }

    describeLifecycle(() => factory.create(settingsFor(factory, peer.settings)), newHost);

    it('does not send again what was refused for good', async ({ skip }) => {
      if (peer.answer === undefined || peer.requests === undefined) return skip();
      const exporter = await running();
      peer.answer('permanent');
      const sent = exporter.consumeTraces(fromPlain(sampleSpans(2)), testContext());
      const outcome = await sent.then(
        () => undefined,
        (error: unknown) => Refusal.from(error),
      );
      // With a queue the sender was told yes already; without one it must be told no, for good.
      if (outcome !== undefined) expect(outcome.retryable).toBe(false);
      await eventually('the peer sees the request', () => peer.requests!() >= 1);
      peer.answer('accept');
      await exporter.stop(farDeadline());
      expect(peer.requests()).toBe(1);
      expect(peer.received()).toEqual([]);
    });

    it('sends again what was refused for now, or tells the sender so', async ({ skip }) => {
      if (peer.answer === undefined || peer.requests === undefined) return skip();
      const exporter = await running();
      peer.answer('retryable');
      const spans = sampleSpans(2);
      const refusal = await Promise.race([
        exporter.consumeTraces(fromPlain(spans), testContext()).then(
          () => undefined,
          (error: unknown) => Refusal.from(error),
        ),
        eventually('the peer sees the request', () => peer.requests!() >= 1),
      ]);
      peer.answer('accept');
      if (refusal instanceof Refusal) {
        expect(refusal.retryable).toBe(true);
        await exporter.consumeTraces(fromPlain(spans), testContext());
      }
      await eventually('the spans arrive', () => peer.received().length > 0);
      await exporter.stop(farDeadline());
      expect(peer.received()).toEqual(spanIds(spans));
    });

    it('delivers every span of many batches at once, and stops only when all are out', async () => {
      const exporter = await running();
      const sent = Array.from({ length: 20 }, (_, index) => sampleSpans((index % 5) + 1));
      await Promise.all(sent.map((spans) => exporter.consumeTraces(fromPlain(spans), testContext())));
      await exporter.stop(farDeadline());
      expect(peer.received()).toEqual(spanIds(sent.flat()));
    });

    it('keeps its hands off the batch once it has acknowledged it', async () => {
      const exporter = await running();
      const spans = sampleSpans(3);
      const batch = fromPlain(spans);
      await exporter.consumeTraces(batch, testContext());
      batch.reset();
      await exporter.stop(farDeadline());
      expect(peer.received()).toEqual(spanIds(spans));
    });

    it('refuses, and does not lose, what comes after it has stopped', async () => {
      const exporter = await running();
      await exporter.stop(farDeadline());
      await expect(exporter.consumeTraces(fromPlain(sampleSpans(1)), testContext())).rejects.toBeInstanceOf(Error);
    });
  });
}
