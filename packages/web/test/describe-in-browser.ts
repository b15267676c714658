import { describe, expect, it } from 'vitest';
import { findChromium } from './support.ts';

/** Tests that need a browser, of which they are given the path. They do not run where there is none, and CI must have one. */
export function describeInBrowser(what: string, tests: (executablePath: string) => void): void {
  const executablePath = findChromium();
  if (executablePath !== undefined) {
    describe(what, () => tests(executablePath));
    return;
  }
  it('needs a Chromium on the PATH or in CLEW_CHROMIUM, which CI must have', () => {
    console.warn(`tests of ${what} did not run: no Chromium was found`);
    expect(process.env['CI']).toBeUndefined();
  });
}
