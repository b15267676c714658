import { fromPlain } from '@clew/model';
import type { PlainSpan, SpanBatch } from '@clew/model';
import { describe, expect, it } from 'vitest';
import type { Component, Host, ReceiverFactory } from '../component.ts';
import { Refusal } from '../consumer.ts';
import { describeLifecycle } from './lifecycle.ts';
import { RecordingConsumer, TestHost, eventually, farDeadline, sampleSpans, settingsFor, spanIds } from './support.ts';

/** How a client understands the answer to a request. */
export type SendOutcome = 'accepted' | 'retryable' | 'permanent';

/** A client of a running receiver, speaking its protocol. */
export interface ReceiverClient {
  /** Sends one request and tells how it was answered. */
  send(batch: SpanBatch): Promise<SendOutcome>;
  /**
   * Sends the head of a request and no body, and tells how it was answered; leave out when the protocol has no such moment.
   */
  sendHeadOnly?(): Promise<SendOutcome>;
  close(): Promise<void>;
}

/** What the suite must know of a receiver. */
export interface ReceiverContract<Config> {
  readonly factory: ReceiverFactory<Config>;
  /** Settings with a port of the system's choosing. */
  readonly settings: () => unknown;
  /** Connects to a started receiver. */
  connect(receiver: Component): Promise<ReceiverClient>;
  readonly host?: () => Host;
  /** True when one request of the protocol can only hold spans of one service. */
  readonly oneServicePerRequest?: boolean;
}

/** The contract every receiver that answers its clients keeps. */
export function describeReceiverContract<Config>({
  factory,
  settings,
  connect,
  host,
  oneServicePerRequest = false,
}: ReceiverContract<Config>): void {
  const samples = (count: number) => sampleSpans(count, oneServicePerRequest ? ['orders'] : undefined);
  const newHost = host ?? (() => new TestHost());

  async function running() {
    const next = new RecordingConsumer();
    const receiver = factory.create(settingsFor(factory, settings()), { traces: next });
    await receiver.start(newHost());
    const client = await connect(receiver);
    const stop = async () => {
      await client.close();
      await receiver.stop(farDeadline());
    };
    return { next, receiver, client, stop };
  }

  describe(`the receiver ${factory.type} keeps the contract of receivers`, () => {
    describeLifecycle(
      () => factory.create(settingsFor(factory, settings()), { traces: new RecordingConsumer() }),
      newHost,
    );

    it('tells the client to come back when the pipeline refuses for now', async () => {
      const { next, client, stop } = await running();
      for (const code of ['unavailable', 'resource_exhausted'] as const) {
        next.refuse = () => new Refusal(code, 'busy', { retryAfterMs: 1 });
        expect(await client.send(fromPlain(samples(2)))).toBe('retryable');
      }
      await stop();
    });

    it('tells the client not to come back when the pipeline refuses for good', async () => {
      const { next, client, stop } = await running();
      next.refuse = () => new Refusal('permanent', 'never');
      expect(await client.send(fromPlain(samples(2)))).toBe('permanent');
      await stop();
    });

    it('asks for admission before it reads a body', async () => {
      const { next, client, stop } = await running();
      next.admission = new Refusal('unavailable', 'full');
      expect(await client.send(fromPlain(samples(2)))).toBe('retryable');
      if (client.sendHeadOnly !== undefined) expect(await client.sendHeadOnly()).toBe('retryable');
      expect(next.calls).toBe(0);
      next.admission = undefined;
      expect(await client.send(fromPlain(samples(2)))).toBe('accepted');
      await stop();
    });

    it('passes everything on unchanged', async () => {
      const { next, client, stop } = await running();
      const spans = samples(12);
      expect(await client.send(fromPlain(spans))).toBe('accepted');
      expect(spanIds(next.spans)).toEqual(spanIds(spans));
      expect(next.contexts[0]).toMatchObject({
        tenant: expect.any(String) as string,
        receivedUnixNano: expect.any(BigInt) as bigint,
      });
      await stop();
    });

    it('accounts for every span when acceptance, refusal and failure mix under concurrency', async () => {
      const { next, client, stop } = await running();
      const fate = (spans: readonly PlainSpan[]): SendOutcome =>
        (['accepted', 'retryable', 'permanent'] as const)[spans.length % 3]!;
      next.refuse = (spans) => {
        const expected = fate(spans);
        if (expected === 'accepted') return undefined;
        return expected === 'retryable' ? new Refusal('unavailable', 'busy') : new Refusal('permanent', 'never');
      };
      const sent = Array.from({ length: 40 }, (_, index) => samples((index % 9) + 1));
      const outcomes = await Promise.all(sent.map((spans) => client.send(fromPlain(spans))));
      expect(outcomes).toEqual(sent.map(fate));
      const accepted = sent.filter((_, index) => outcomes[index] === 'accepted').flat();
      expect(spanIds(next.spans)).toEqual(spanIds(accepted));
      await stop();
    });

    it('answers requests in flight before it has stopped', async () => {
      const { next, receiver, client } = await running();
      const release = next.hold();
      const answer = client.send(fromPlain(samples(3)));
      await eventually('the request is in flight', () => next.calls === 1);
      const stopped = receiver.stop(farDeadline());
      release();
      expect(await answer).toBe('accepted');
      await client.close();
      await stopped;
      expect(next.spans).toHaveLength(3);
    });

    it('can be made and started again after it has stopped', async () => {
      for (let life = 0; life < 2; life++) {
        const { next, client, stop } = await running();
        expect(await client.send(fromPlain(samples(1)))).toBe('accepted');
        await stop();
        expect(next.spans).toHaveLength(1);
      }
    });
  });
}
