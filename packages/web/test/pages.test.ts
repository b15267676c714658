import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { createControls } from '../dev/fake-api.ts';
import { FakeStore } from '../dev/fake-store.ts';
import { createRandom } from '../dev/random.ts';
import { startFakeServer } from '../dev/server.ts';
import { shopTrace } from '../dev/shop.ts';
import { specialTraces } from '../dev/special.ts';
import type { FakeTrace } from '../dev/spans.ts';
import { describeInBrowser } from './describe-in-browser.ts';
import { addRetryTrace, setStage } from './support.ts';
import type { OpenOptions, Stage } from './support.ts';

describeInBrowser('the page in a browser', browserTests);

function browserTests(browserPath: string): void {
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

  const rows = (page: Page) => page.locator('[role=treegrid] [role=row]:visible');
  const grid = (page: Page) => page.getByRole('treegrid');
  const openTrace = async (suffix = '', options: OpenOptions = {}): Promise<Page> => {
    const page = await stage.open(`/trace/${retry.traceId}${suffix}`, options);
    await rows(page).first().waitFor();
    return page;
  };
  const address = (page: Page): string => page.url().slice(stage.server.origin.length);

  describe('a walk with the keyboard alone', () => {
    it('goes from a search to the failing span and back', async () => {
      const page = await stage.open('/explore?q={+status+=+error+}&sort=-duration');
      await page.locator('ol li a').first().waitFor();
      await page.keyboard.press('/');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('combobox');
      await page.keyboard.press('Escape');
      await page.locator('ol li a').first().focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await rows(page).first().waitFor();
      await page.keyboard.press('e');
      await page.getByRole('heading', { level: 2 }).waitFor();
      await page.locator('text=Error').first().waitFor();
      expect(address(page)).toContain('span=');
      await page.keyboard.press('Escape');
      await page.getByRole('heading', { level: 2 }).waitFor({ state: 'detached' });
      await page.keyboard.press('g');
      await page.keyboard.press('e');
      await page.waitForURL('**/explore');
    });

    it('moves, folds and unfolds in the tree', async () => {
      const page = await openTrace();
      const total = retry.spans.length + 1;
      const rowCount = () => grid(page).getAttribute('aria-rowcount');
      const active = () => grid(page).getAttribute('aria-activedescendant');
      expect(await rowCount()).toBe(String(total));
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowLeft');
      await expect.poll(rowCount).toBe('2');
      await page.keyboard.press('ArrowRight');
      await expect.poll(rowCount).toBe(String(total));
      const first = await active();
      await page.keyboard.press('ArrowRight');
      await expect.poll(active).not.toBe(first);
      await page.keyboard.press('End');
      const last = page.locator('[role=row][aria-selected=true]');
      await expect.poll(() => last.getAttribute('aria-rowindex')).toBe(String(total));
      await page.keyboard.press('[');
      await expect.poll(async () => Number(await rowCount())).toBeLessThan(total);
      await page.keyboard.press(']');
      await expect.poll(rowCount).toBe(String(total));
    });

    it('leaves letters to text fields, and to the person who turned shortcuts off', async () => {
      const page = await openTrace();
      await page.keyboard.press('/');
      await page.keyboard.type('egg');
      expect(new URL(page.url()).searchParams.get('f')).toBe('egg');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByLabel('Shortcuts of a single character').uncheck();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('/');
      expect(await page.evaluate(() => document.activeElement?.tagName)).not.toBe('INPUT');
    });

    it('finds services and themes through the command box', async () => {
      const page = await stage.open('/explore');
      await page.locator('ol li a').first().waitFor();
      await page.keyboard.press('Control+k');
      await page.keyboard.type('paym');
      await page.getByRole('option', { name: /payment/ }).waitFor();
      await page.keyboard.press('Enter');
      await expect.poll(() => new URL(page.url()).searchParams.get('q')).toBe('{ resource.service.name = "payment" }');
      await page.keyboard.press('Control+k');
      await page.keyboard.type(`trace_id=${retry.traceId}`);
      await page.getByRole('option', { name: /Open trace/ }).waitFor();
      await page.keyboard.press('Enter');
      await rows(page).first().waitFor();
      expect(address(page)).toBe(`/trace/${retry.traceId}`);
    });
  });

  describe('the address', () => {
    it('holds the whole search, and a fresh tab shows the same', async () => {
      const page = await stage.open('/explore');
      await page.getByRole('combobox', { name: 'Service', exact: true }).click();
      await page.keyboard.type('payment');
      // As people do: Enter takes what they see, and the list of services comes from the server.
      await page.getByRole('option', { name: 'payment' }).first().waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Errors' }).click();
      await page.getByRole('combobox', { name: 'Tags', exact: true }).fill('payment.attempt>1');
      await page.keyboard.press('Enter');
      await page.getByLabel('Span at least').fill('1s');
      await page.keyboard.press('Enter');
      await page.getByLabel('Order').selectOption('longest');
      const wanted =
        '{ resource.service.name = "payment" && status = error && duration >= 1s && .payment.attempt > 1 }';
      await expect.poll(() => new URL(page.url()).searchParams.get('q')).toBe(wanted);
      await expect.poll(() => new URL(page.url()).searchParams.get('sort')).toBe('-duration');
      await page.locator('ol li a').first().waitFor();
      const texts = await page.locator('ol li').allInnerTexts();

      const again = await stage.open(address(page));
      await again.locator('ol li a').first().waitFor();
      expect(await again.getByRole('combobox', { name: 'Service', exact: true }).inputValue()).toBe('payment');
      expect(await again.getByRole('combobox', { name: 'Tags', exact: true }).inputValue()).toBe('payment.attempt>1');
      expect((await again.locator('ol li').allInnerTexts()).length).toBe(texts.length);

      await page.goBack();
      await expect.poll(() => new URL(page.url()).searchParams.get('sort')).toBeNull();
    });

    it('holds the screen of a trace: span, tab, fold, filter and hidden services', async () => {
      const page = await openTrace(`?span=${failed.spanId}&tab=events`);
      await page.locator('text=library frame').waitFor();
      await page.getByRole('button', { name: 'One level less' }).click();
      await page.getByRole('button', { name: /^auth/ }).click();
      await page.getByLabel('Find in this trace').fill('payment');
      await page.getByRole('button', { name: 'Hide others' }).click();
      const count = async (shown: Page) => grid(shown).getAttribute('aria-rowcount');
      const link = await page.evaluate(() => window.location.pathname + window.location.search);
      const again = await stage.open(link);
      await rows(again).first().waitFor();
      await again.locator('text=library frame').waitFor();
      expect(await count(again)).toBe(await count(page));
      expect(await again.getByLabel('Find in this trace').inputValue()).toBe('payment');
      expect(await again.getByRole('button', { name: /^auth/ }).getAttribute('aria-pressed')).toBe('false');
    });

    it('takes links of Jaeger and Zipkin', async () => {
      const tags = encodeURIComponent('{"error":"true"}');
      const page = await stage.open(`/search?service=payment&tags=${tags}&lookback=1h&limit=50`);
      await page.locator('ol li a').first().waitFor();
      expect(new URL(page.url()).pathname).toBe('/explore');
      expect(new URL(page.url()).searchParams.get('q')).toBe('{ resource.service.name = "payment" && status = error }');
      const trace = await stage.open(`/zipkin/traces/${retry.traceId}`);
      await rows(trace).first().waitFor();
    });

    it('works below a base path', async () => {
      const { controls, distDirectory } = stage;
      const server = await startFakeServer({ controls, distDirectory, basePath: '/tools/clew' });
      try {
        const page = await stage.open('/tools/clew/explore', { origin: server.origin });
        await page.locator('ol li a').first().click();
        await rows(page).first().waitFor();
        expect(new URL(page.url()).pathname).toMatch(/^\/tools\/clew\/trace\/[0-9a-f]{32}$/);
        await page.reload();
        await rows(page).first().waitFor();
      } finally {
        await server.close();
      }
    });
  });

  describe('explore', () => {
    it('loads page after page without repeating or losing a trace', async () => {
      const page = await stage.open('/explore?from=now-3h');
      const total = stage.controls.store.traces.size;
      const line = page.locator('[role=status]', { hasText: /^\d+ traces/ });
      for (let shown = 20; shown < total; shown += 20) {
        await expect.poll(() => line.innerText()).toMatch(new RegExp(`^${shown} traces, more exist`));
        await page.getByRole('button', { name: 'Load more' }).click();
      }
      await page.locator('text=That is all').waitFor();
      expect(await line.innerText()).toMatch(new RegExp(`^${total} traces ·`));
    });

    it('says which condition emptied the list, and drops it', async () => {
      const page = await stage.open('/explore?q={+status+=+error+%26%26+.no.such+=+1+}');
      await page
        .getByRole('row', { name: /\.no\.such = 1/ })
        .getByRole('button', { name: 'Drop' })
        .click();
      await page.locator('ol li a').first().waitFor();
      expect(new URL(page.url()).searchParams.get('q')).toBe('{ status = error }');
    });

    it('jumps to the newest span when the range is empty', async () => {
      const page = await stage.open('/explore?from=2020-01-01&to=2020-01-02');
      await page.getByRole('button', { name: 'Go there' }).click();
      await page.locator('ol li a').first().waitFor();
    });

    it('zooms to a part of the strip that is dragged over', async () => {
      const page = await stage.open('/explore');
      await page.locator('ol li a').first().waitFor();
      const chart = await page
        .locator('section[aria-label="Matching spans over time"] svg[viewBox="0 0 100 46"]')
        .boundingBox();
      if (chart === null) throw new Error('the strip is not shown');
      await page.mouse.move(chart.x + chart.width * 0.5, chart.y + 20);
      await page.mouse.down();
      await page.mouse.move(chart.x + chart.width * 0.75, chart.y + 20);
      await page.mouse.up();
      const params = () => new URL(page.url()).searchParams;
      await expect.poll(() => params().get('from')).toMatch(/^\d{13}$/);
      const minutes = (Number(params().get('to')) - Number(params().get('from'))) / 60_000;
      expect(minutes).toBeGreaterThan(14);
      expect(minutes).toBeLessThan(16);
    });

    it('explains what it cannot read, where it was typed', async () => {
      const page = await stage.open('/explore');
      await page.getByRole('combobox', { name: 'Tags', exact: true }).fill('http.method=');
      await page.keyboard.press('Enter');
      await page.locator('[role=alert]', { hasText: 'expected a value' }).waitFor();
      await page.getByLabel('Span at least').fill('soon');
      await page.keyboard.press('Enter');
      await page.locator('[role=alert]', { hasText: '250ms' }).waitFor();
    });

    it('keeps the last good results when a refresh fails', async () => {
      const page = await stage.open('/explore');
      await page.locator('ol li a').first().waitFor();
      stage.controls.failWith = {
        status: 400,
        body: { code: 'query_limit', message: 'Too much to read.', hint: 'Narrow the range.' },
      };
      await page.getByRole('button', { name: 'Refresh' }).click();
      await page.locator('text=Too much to read.').first().waitFor();
    });
  });

  describe('a trace', () => {
    it('shows what was sent, to the last digit, and the stack of an exception', async () => {
      const producer = retry.spans.find((span) => span.kind === 4);
      const page = await openTrace(`?span=${producer?.spanId ?? ''}`);
      await page.locator('text=9007199254740993').waitFor();
      await page.getByRole('button', { name: 'JSON' }).click();
      await page.locator('pre', { hasText: '"messaging.kafka.offset": "9007199254740993"' }).waitFor();
      await page.keyboard.press('Escape');
      await page.goto(`${stage.server.origin}/trace/${retry.traceId}?span=${failed.spanId}&tab=events`);
      await page.getByRole('button', { name: /Show 1 library frame/ }).click();
      await page.locator('pre', { hasText: 'node_modules/fastify' }).waitFor();
    });

    it('zooms by dragging over the minimap and back with one key', async () => {
      const page = await openTrace();
      const map = await page.locator('canvas').first().boundingBox();
      if (map === null) throw new Error('the minimap is not shown');
      await page.mouse.move(map.x + map.width * 0.25, map.y + 20);
      await page.mouse.down();
      await page.mouse.move(map.x + map.width * 0.5, map.y + 20);
      await page.mouse.up();
      await expect.poll(() => new URL(page.url()).searchParams.get('z')).not.toBeNull();
      await page.keyboard.press('0');
      await expect.poll(() => new URL(page.url()).searchParams.get('z')).toBeNull();
    });

    it('zooms with Ctrl and the wheel, pans with Shift, and zooms to a bar by a double click', async () => {
      const page = await openTrace();
      const box = await grid(page).boundingBox();
      if (box === null) throw new Error('the waterfall is not shown');
      const zoom = async (): Promise<readonly number[]> =>
        (new URL(page.url()).searchParams.get('z') ?? '').split(',').map(Number);
      await page.mouse.move(box.x + box.width * 0.7, box.y + 40);
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -400);
      await page.keyboard.up('Control');
      await expect.poll(async () => (await zoom()).length).toBe(2);
      const before = await zoom();
      await page.keyboard.down('Shift');
      await page.mouse.wheel(0, 100);
      await page.keyboard.up('Shift');
      await expect.poll(async () => (await zoom())[0]).toBeGreaterThan(before[0] ?? 0);
      await page.keyboard.press('0');
      await expect.poll(async () => new URL(page.url()).searchParams.get('z')).toBeNull();
      await page.mouse.dblclick(box.x + box.width * 0.5, box.y + 24 * 3.5);
      await expect.poll(async () => (await zoom()).length).toBe(2);
      expect(new URL(page.url()).searchParams.get('span')).not.toBeNull();
    });

    it('keeps the selected row in sight when the panel takes its place on a phone', async () => {
      const last = retry.spans.at(-1);
      const page = await openTrace(`?span=${last?.spanId ?? ''}`, { width: 360, height: 740 });
      await page.getByRole('heading', { level: 2 }).waitFor();
      const isInSight = async (): Promise<boolean> => {
        const row = await page.locator('[role=row][aria-selected=true]').boundingBox();
        const box = await grid(page).boundingBox();
        return row !== null && box !== null && row.y >= box.y && row.y + row.height <= box.y + box.height + 1;
      };
      await expect.poll(isInSight).toBe(true);
    });

    it('looks for text in attributes on the server', async () => {
      const page = await openTrace();
      await page.getByLabel('Find in this trace').fill('acme-pay');
      await page.locator('text=/^3 of/').waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 2, name: 'POST /charges' }).waitFor();
    });

    it('grows while spans arrive, and says so', async () => {
      const start = Date.now() - 1000;
      const growing = shopTrace(createRandom(5), BigInt(start) * 1_000_000n, 'declined');
      const grown: FakeTrace = { ...growing, traceId: specialTraces.growing, growsUntilUnixMs: start + 6000 };
      stage.controls.store.add(grown);
      const page = await stage.open(`/trace/${specialTraces.growing}`);
      await page.locator('text=still arriving').waitFor();
      await expect
        .poll(() => grid(page).getAttribute('aria-rowcount'), { timeout: 20_000 })
        .toBe(String(grown.spans.length + 1));
      await page.locator('text=still arriving').waitFor({ state: 'detached' });
    });

    it('waits for a trace that was announced, and shows it when it comes', async () => {
      const late = shopTrace(createRandom(6), BigInt(Date.now() - 5000) * 1_000_000n, 'normal');
      const page = await stage.open(`/trace/${late.traceId}`);
      await page.getByRole('button', { name: 'Wait a minute for it' }).click();
      stage.controls.store.add(late);
      await rows(page).first().waitFor();
    });

    it('stays readable when nothing but the skeleton can be loaded', async () => {
      const page = await openTrace();
      stage.controls.failWith = { status: 404, body: { code: 'not_found', message: 'Gone.' } };
      await page.keyboard.press('ArrowDown');
      await page.locator('text=details could not be loaded').waitFor();
      expect(await rows(page).count()).toBeGreaterThan(10);
    });
  });

  describe('welcome', () => {
    it('greets an empty store, and turns into a link at the first span', async () => {
      const controls = createControls(new FakeStore());
      const server = await startFakeServer({ controls, distDirectory: stage.distDirectory });
      try {
        const page = await stage.open('/', { origin: server.origin });
        await page.getByRole('heading', { name: 'Waiting for your first trace' }).waitFor();
        controls.store.add(shopTrace(createRandom(8), BigInt(Date.now() - 5000) * 1_000_000n, 'normal'));
        await page.getByRole('link', { name: 'Open the newest trace' }).click();
        await rows(page).first().waitFor();
      } finally {
        await server.close();
      }
    });

    it('sends demo traces, leads to one, and removes them', async () => {
      const controls = createControls(new FakeStore());
      const server = await startFakeServer({ controls, distDirectory: stage.distDirectory });
      try {
        const page = await stage.open('/welcome', { origin: server.origin });
        await page.getByRole('button', { name: 'Send demo traces' }).click();
        await page.getByRole('link', { name: 'retry' }).click();
        await rows(page).first().waitFor();
        await page.goBack();
        await page.getByRole('button', { name: 'Remove demo data' }).click();
        await expect.poll(() => controls.store.traces.size).toBe(0);
      } finally {
        await server.close();
      }
    });

    it('fills snippets with the real address and remembers the language', async () => {
      const page = await stage.open('/welcome');
      await page.getByRole('tab', { name: 'Python' }).click();
      await page.locator('pre', { hasText: 'OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318' }).waitFor();
      await page.reload();
      await page.locator('pre', { hasText: 'opentelemetry-instrument' }).waitFor();
    });

    it('says that the server does not answer, and comes back when it does', async () => {
      stage.controls.failWith = { status: 500, body: { code: 'internal', message: 'Broken.' } };
      const page = await stage.open('/welcome');
      await page.locator('text=Broken.').waitFor();
      stage.controls.failWith = undefined;
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator('text=Send from your program').waitFor();
    });
  });

  describe('themes', () => {
    it('follow the system until one is chosen, which is kept', async () => {
      const page = await stage.open('/explore', { theme: 'dark' });
      await page.locator('ol li a').first().waitFor();
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(await background()).toBe('rgb(20, 23, 28)');
      await page.getByRole('button', { name: /^Theme/ }).click();
      expect(await background()).toBe('rgb(255, 255, 255)');
      await page.reload();
      expect(await background()).toBe('rgb(255, 255, 255)');
    });
  });
}
