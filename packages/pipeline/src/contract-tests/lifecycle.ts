import { describe, expect, it } from 'vitest';
import type { Component, Host } from '../component.ts';
import { TestHost, farDeadline } from './support.ts';

/** What every component owes whoever runs it, whatever its kind. `make` gives a new one each time. */
export function describeLifecycle(
  make: () => Component | Promise<Component>,
  host: () => Host = () => new TestHost(),
): void {
  describe('as a component', () => {
    it('can be stopped without ever having been started', async () => {
      const component = await make();
      await component.stop(farDeadline());
      await component.stop(farDeadline());
    });

    it('starts once and stops once, however often it is asked', async () => {
      const component = await make();
      const theHost = host();
      await Promise.all([component.start(theHost), component.start(theHost)]);
      await Promise.all([component.stop(farDeadline()), component.stop(farDeadline())]);
      await component.stop(farDeadline());
    });

    it('gives a snapshot that is plain JSON, before, during and after its life', async () => {
      const component = await make();
      const isPlain = () => {
        const snapshot = component.snapshot();
        expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
      };
      isPlain();
      await component.start(host());
      isPlain();
      await component.stop(farDeadline());
      isPlain();
    });

    it('stops even when the deadline has passed already', async () => {
      const component = await make();
      await component.start(host());
      await component.stop(AbortSignal.abort());
    });
  });
}
