import { describe } from 'vitest';
import type { ExtensionFactory, Host } from '../component.ts';
import { describeLifecycle } from './lifecycle.ts';
import { TestHost, settingsFor } from './support.ts';

/** What the suite must know of an extension. */
export interface ExtensionContract<Config> {
  readonly factory: ExtensionFactory<Config>;
  /** Settings for each instance; ports must be of the system's choosing. */
  readonly settings: () => unknown;
  readonly host?: () => Host;
}

/** The contract every extension keeps. */
export function describeExtensionContract<Config>({ factory, settings, host }: ExtensionContract<Config>): void {
  describe(`the extension ${factory.type} keeps the contract of extensions`, () => {
    describeLifecycle(() => factory.create(settingsFor(factory, settings())), host ?? (() => new TestHost()));
  });
}
