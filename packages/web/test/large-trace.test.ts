import { afterAll, beforeAll, expect, it } from 'vitest';
import { specialTraces } from '../dev/special.ts';
import { describeInBrowser } from './describe-in-browser.ts';
import { setStage } from './support.ts';
import type { Stage } from './support.ts';

const spans = 100_000;

describeInBrowser('a trace of a hundred thousand spans', (executablePath) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage({ largeSpans: spans, executablePath });
  });
  afterAll(() => stage.close());

  it('opens, scrolls to its end, folds and finds, with a few dozen rows alive', async () => {
    const page = await stage.open(`/trace/${specialTraces.large}`);
    const grid = page.getByRole('treegrid');
    const rows = page.locator('[role=treegrid] [role=row]');
    await rows.first().waitFor();
    expect(await grid.getAttribute('aria-rowcount')).toBe(String(spans + 1));

    await grid.focus();
    await page.keyboard.press('End');
    const selected = page.locator('[role=row][aria-selected=true]');
    await expect.poll(() => selected.getAttribute('aria-rowindex')).toBe(String(spans + 1));

    for (const share of [0, 0.25, 0.5, 0.99]) {
      await grid.evaluate((element, at) => {
        element.scrollTop = (element.scrollHeight - element.clientHeight) * at;
      }, share);
      await expect
        .poll(async () => {
          const indexes = await page
            .locator('[role=treegrid] [role=row]:visible')
            .evaluateAll((elements) => elements.map((element) => Number(element.getAttribute('aria-rowindex'))));
          return Math.abs(Math.min(...indexes) - share * spans) < 0.01 * spans;
        })
        .toBe(true);
    }
    expect(await rows.count()).toBeLessThan(120);

    await page.getByRole('button', { name: 'Collapse all' }).click();
    await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('2');
    await page.getByRole('button', { name: 'Expand all' }).click();
    await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe(String(spans + 1));

    await page.getByLabel('Find in this trace').fill('step 17');
    await page.getByRole('button', { name: 'Hide others' }).click();
    await expect.poll(async () => Number(await grid.getAttribute('aria-rowcount'))).toBeLessThan(spans / 2);
    expect(stage.faults()).toEqual([]);
  });

  it('draws a chain three thousand spans deep', async () => {
    const page = await stage.open(`/trace/${specialTraces.deep}`);
    const grid = page.getByRole('treegrid');
    await page.locator('[role=treegrid] [role=row]').first().waitFor();
    await grid.focus();
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('[role=row][aria-selected=true]').getAttribute('aria-level')).toBe('3000');
    expect(stage.faults()).toEqual([]);
  });
});
