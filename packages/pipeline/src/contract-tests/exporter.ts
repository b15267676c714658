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
  /** How later requests are answered; needed when the contract says that the peer can refuse. */
  answer?(how: 'accept' | 'retryable' | 'permanent'): void;
  /** Requests seen, refused ones included; needed with `answer`. */
  requests?(): number;
  close(): Promise<void>;
}

/** What the suite must know of an exporter. */
export interface ExporterContract<Config> {
  readonly factory: ExporterFactory<Config>;
  open(): Promise<ExporterPeer>;
  /** Whether the other end can refuse; what only prints has none that could. Default true. */
  readonly peerCanRefuse?: boolean;
  readonly host?: () => Host;
}

/** The contract every exporter keeps. */
export function describeExporterContract<Config>(contract: ExporterContract<Config>): void {
  const { factory, open, peerCanRefuse = true } = contract;
  const newHost = contract.host ?? (() => new TestHost());

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

    if (peerCanRefuse) {
      it('does not send again what was refused for good', async () => {
        const { answer, requests } = refusing(peer);
        const exporter = await running();
        answer('permanent');
        const sent = exporter.consumeTraces(fromPlain(sampleSpans(2)), testContext());
        const outcome = await sent.then(
          () => undefined,
          (error: unknown) => Refusal.from(error),
        );
        // With a queue the sender was told yes already; without one it must be told no, for good.
        if (outcome !== undefined) expect(outcome.retryable).toBe(false);
        await eventually('the peer sees the request', () => requests() >= 1);
        answer('accept');
        await exporter.stop(farDeadline());
        expect(requests()).toBe(1);
        expect(peer.received()).toEqual([]);
      });

      it('sends again what was refused for now, or tells the sender so', async () => {
        const { answer, requests } = refusing(peer);
        const exporter = await running();
        answer('retryable');
        const spans = sampleSpans(2);
        const refusal = await Promise.race([
          exporter.consumeTraces(fromPlain(spans), testContext()).then(
            () => undefined,
            (error: unknown) => Refusal.from(error),
          ),
          eventually('the peer sees the request', () => requests() >= 1),
        ]);
        answer('accept');
        if (refusal instanceof Refusal) {
          expect(refusal.retryable).toBe(true);
          await exporter.consumeTraces(fromPlain(spans), testContext());
        }
        await eventually('the spans arrive', () => peer.received().length > 0);
        await exporter.stop(farDeadline());
        expect(peer.received()).toEqual(spanIds(spans));
      });
    }

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

/** The part of a peer that refusals are tested with. */
function refusing(peer: ExporterPeer): { answer(how: 'accept' | 'retryable' | 'permanent'): void; requests(): number } {
  if (peer.answer === undefined || peer.requests === undefined) {
    throw new Error('the peer lacks answer() or requests(); add them, or say peerCanRefuse: false');
  }
  return { answer: (how) => peer.answer?.(how), requests: () => peer.requests?.() ?? 0 };
}
