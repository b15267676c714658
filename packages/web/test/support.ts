import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { createControls } from '../dev/fake-api.ts';
import type { FakeApiControls } from '../dev/fake-api.ts';
import { FakeStore } from '../dev/fake-store.ts';
import { startFakeServer } from '../dev/server.ts';
import type { FakeServer } from '../dev/server.ts';
import { createRandom } from '../dev/random.ts';
import { shopTrace } from '../dev/shop.ts';
import type { FakeSpan, FakeTrace } from '../dev/spans.ts';

const browserNames = ['chromium', 'chromium-browser', 'google-chrome'];
const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Axe's rules for WCAG 2.2 A and AA, and its best practices but for landmarks inside dialogs. */
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A Chromium on this machine: `CLEW_CHROMIUM`, else the first of the usual names on the PATH. */
export function findChromium(): string | undefined {
  const named = process.env['CLEW_CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return browserNames.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** A built page, a server with made-up traces and a browser. */
export interface Stage {
  readonly browser: Browser;
  readonly controls: FakeApiControls;
  readonly server: FakeServer;
  readonly distDirectory: string;
  /** Opens an address; faults of the page and refused loads fail the test through `faults`. */
  readonly open: (path: string, options?: OpenOptions) => Promise<Page>;
  /** What the browser's console complained about since the last call. */
  readonly faults: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** How a page is opened. */
export interface OpenOptions {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** Another server than the stage's own. */
  readonly origin?: string;
}

/** Builds the page into a folder of its own and starts everything. */
export async function setStage(options: {
  readonly largeSpans: number;
  readonly executablePath: string;
}): Promise<Stage> {
  const distDirectory = await mkdtemp(join(tmpdir(), 'clew-web-'));
  const root = fileURLToPath(new URL('..', import.meta.url));
  await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'error', build: { outDir: distDirectory } });
  const store = FakeStore.filled({ nowUnixMs: Date.now(), traces: 120, largeSpans: options.largeSpans });
  const controls = createControls(store);
  const server = await startFakeServer({ controls, distDirectory });
  const browser = await chromium.launch({ executablePath: options.executablePath, args: browserArguments });
  const contexts: BrowserContext[] = [];
  let faults: string[] = [];
  return {
    browser,
    controls,
    server,
    distDirectory,
    async open(path, { theme = 'light', width = 1280, height = 800, origin = server.origin } = {}) {
      const context = await browser.newContext({
        colorScheme: theme,
        viewport: { width, height },
        reducedMotion: 'reduce',
      });
      contexts.push(context);
      const page = await context.newPage();
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        // The browser reports answers that are errors by themselves; the page's handling of them is tested.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          faults.push(message.text());
      });
      await page.goto(origin + path);
      return page;
    },
    faults() {
      const seen = faults;
      faults = [];
      return seen;
    },
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
      await server.close();
      await rm(distDirectory, { recursive: true, force: true });
    },
  };
}

/** Adds a shop trace in which a payment failed and was tried again; with it, the span that holds the exception. */
export function addRetryTrace(stage: Stage): { readonly retry: FakeTrace; readonly failed: FakeSpan } {
  const retry = shopTrace(createRandom(42), BigInt(Date.now() - 60_000) * 1_000_000n, 'retry');
  const failed = retry.spans.find((span) => span.events.some((event) => event.name === 'exception'));
  if (failed === undefined) throw new Error('the retry trace has no exception');
  stage.controls.store.add(retry);
  return { retry, failed };
}

/** What axe finds wrong on a page, one line each. */
export async function axeProblems(page: Page): Promise<readonly string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
  await page.evaluate(source);
  return page.evaluate(async (tags) => {
    interface Axe {
      run: (
        context: Document,
        options: unknown,
      ) => Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }>;
    }
    const { axe } = window as unknown as { axe: Axe };
    const result = await axe.run(document, { runOnly: { type: 'tag', values: tags } });
    return result.violations.flatMap((violation) =>
      violation.nodes.map(
        (node) =>
          `${violation.id}: ${violation.help}: ${node.html.slice(0, 160)} ${node.failureSummary.replaceAll('\n', ' ').slice(0, 260)}`,
      ),
    );
  }, axeTags);
}
