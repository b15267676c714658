import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { specialTraces } from '../dev/special.ts';
import type { FakeTrace } from '../dev/spans.ts';
import { describeInBrowser } from './describe-in-browser.ts';
import { addRetryTrace, axeProblems, setStage } from './support.ts';
import type { Stage } from './support.ts';

describeInBrowser('every state of the page', accessibilityTests);

function accessibilityTests(browserPath: string): void {
  let stage: Stage;
  let retry: FakeTrace;
  let failed: { readonly spanId: string };

  beforeAll(async () => {
    stage = await setStage({ largeSpans: 0, executablePath: browserPath });
    ({ retry, failed } = addRetryTrace(stage));
  });
  afterAll(() => stage.close());
  afterEach(() => {
    stage.controls.failWith = undefined;
    expect(stage.faults()).toEqual([]);
  });

  describe('is accessible, as far as axe can tell', () => {
    interface State {
      readonly name: string;
      readonly path: () => string;
      readonly ready: string;
      readonly width?: number;
      readonly act?: (page: Page) => Promise<void>;
      readonly failure?: boolean;
    }
    const states: readonly State[] = [
      { name: 'welcome', path: () => '/welcome', ready: 'text=Send from your program' },
      { name: 'explore with results', path: () => '/explore', ready: 'ol li a' },
      { name: 'explore on a phone', path: () => '/explore', ready: 'ol li a', width: 360 },
      { name: 'explore with nothing found', path: () => '/explore?q={+.no.such+=+1+}', ready: 'text=No trace matches' },
      { name: 'explore with a failed search', path: () => '/explore', ready: 'text=The search failed', failure: true },
      {
        name: 'explore with the table',
        path: () => '/explore',
        ready: 'ol li a',
        act: (page) => page.getByRole('button', { name: 'View as table' }).click(),
      },
      {
        name: 'explore with a list open',
        path: () => '/explore',
        ready: 'ol li a',
        act: async (page) => {
          await page.getByRole('combobox', { name: 'Service', exact: true }).click();
          await page.locator('[role=option]:visible').first().waitFor();
        },
      },
      {
        name: 'explore with the time range open',
        path: () => '/explore',
        ready: 'ol li a',
        act: async (page) => {
          await page.keyboard.press('t');
          await page.getByRole('dialog', { name: 'Time range' }).waitFor();
        },
      },
      { name: 'a trace', path: () => `/trace/${retry.traceId}`, ready: '[role=treegrid] [role=row]' },
      {
        name: 'a trace on a phone',
        path: () => `/trace/${retry.traceId}?span=${failed.spanId}`,
        ready: 'text=Resource',
        width: 360,
      },
      { name: 'a span', path: () => `/trace/${retry.traceId}?span=${failed.spanId}`, ready: 'text=Resource' },
      {
        name: 'an exception',
        path: () => `/trace/${retry.traceId}?span=${failed.spanId}&tab=events`,
        ready: 'text=library frame',
      },
      { name: 'a broken trace', path: () => `/trace/${specialTraces.broken}`, ready: 'text=missing parent' },
      { name: 'a filtered trace', path: () => `/trace/${retry.traceId}?f=payment&fm=hide`, ready: 'text=Hide others' },
      {
        name: 'an unknown trace',
        path: () => '/trace/0af7651916cd43dd8448eb211c80319c',
        ready: 'text=No spans of this trace',
      },
      { name: 'an unknown page', path: () => '/nowhere', ready: 'text=There is no page' },
      {
        name: 'the shortcut sheet',
        path: () => `/trace/${retry.traceId}`,
        ready: '[role=treegrid] [role=row]',
        act: async (page) => {
          await page.keyboard.press('?');
          await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
        },
      },
    ];
    it.each(states)('$name, light and dark', async ({ path, ready, width, act, failure }) => {
      if (failure === true) {
        stage.controls.failWith = { status: 500, body: { code: 'internal', message: 'The engine stopped.' } };
      }
      const page = await stage.open(path(), width === undefined ? {} : { width });
      await page.locator(ready).first().waitFor();
      await act?.(page);
      expect(await axeProblems(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await axeProblems(page)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    });
  });
}
