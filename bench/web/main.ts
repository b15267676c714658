// How fast the page is: `npm run bench -- web [spans]`. Needs a Chromium (CLEW_CHROMIUM or on the PATH).
//
// Builds the page, serves made-up traces, and prints what a first load weighs, how long a large trace takes from
// the click to its rows, and the main thread's work per frame while it scrolls, zooms and folds. Results go to
// bench/results/web.json beside the printed table.
import { mkdir, writeFile } from 'node:fs/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { specialTraces } from '../../packages/web/dev/special.ts';
import { findChromium, setStage } from '../../packages/web/test/support.ts';

const spans = Number(process.argv[2] ?? 100_000);
const repeats = 5;

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur?: number;
  /** CPU time of the thread, where the browser records it: what the work costs on a machine with nothing else to do. */
  readonly tdur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
}

interface Frames {
  readonly frames: number;
  /** CPU time of the main thread per frame. */
  readonly cpuP50Ms: number;
  readonly cpuP95Ms: number;
  /** The longest task by CPU time. */
  readonly cpuLongestTaskMs: number;
  /** The same by the clock, which other processes on the machine lengthen. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly longestTaskMs: number;
  readonly tasksOver50Ms: number;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

/** Records the main thread while something runs: every task, and the sum of tasks within each frame. */
async function record(session: CDPSession, run: () => Promise<void>): Promise<Frames> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: unknown[] }): void => void events.push(...(value as TraceEvent[]));
  session.on('Tracing.dataCollected', collect);
  await session.send('Tracing.start', {
    traceConfig: {
      includedCategories: [
        'toplevel',
        'devtools.timeline',
        'disabled-by-default-devtools.timeline',
        'disabled-by-default-devtools.timeline.frame',
      ],
    },
    transferMode: 'ReportEvents',
  });
  await run();
  const complete = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', () => resolve()));
  await session.send('Tracing.end');
  await complete;
  session.off('Tracing.dataCollected', collect);
  return summarize(events);
}

function summarize(events: readonly TraceEvent[]): Frames {
  const mains = events.filter((event) => event.name === 'thread_name' && event.args.name === 'CrRendererMain');
  const busiest = mains
    .map((main) => events.filter((event) => event.pid === main.pid && event.tid === main.tid))
    .sort((a, b) => b.length - a.length)[0];
  if (busiest === undefined) throw new Error('the recording holds no renderer main thread');
  const tasks = busiest.filter((event) => event.ph === 'X' && event.name === 'RunTask').sort((a, b) => a.ts - b.ts);
  const begins = busiest
    .filter((event) => event.name === 'BeginMainThreadFrame')
    .map((event) => event.ts)
    .sort((a, b) => a - b);
  const clock = (task: TraceEvent): number => (task.dur ?? 0) / 1000;
  const cpu = (task: TraceEvent): number => (task.tdur ?? task.dur ?? 0) / 1000;
  const byClock = workPerFrame(tasks, begins, clock);
  const byCpu = workPerFrame(tasks, begins, cpu);
  return {
    frames: begins.length,
    cpuP50Ms: round(percentile(byCpu, 0.5)),
    cpuP95Ms: round(percentile(byCpu, 0.95)),
    cpuLongestTaskMs: round(Math.max(0, ...tasks.map(cpu))),
    p50Ms: round(percentile(byClock, 0.5)),
    p95Ms: round(percentile(byClock, 0.95)),
    longestTaskMs: round(Math.max(0, ...tasks.map(clock))),
    tasksOver50Ms: tasks.filter((task) => clock(task) > 50).length,
  };
}

/** The main thread's work between the beginnings of frames, ascending. */
function workPerFrame(
  tasks: readonly TraceEvent[],
  begins: readonly number[],
  measure: (task: TraceEvent) => number,
): readonly number[] {
  const works: number[] = begins.map(() => 0);
  let frame = -1;
  for (const task of tasks) {
    while (frame + 1 < begins.length && (begins[frame + 1] ?? 0) <= task.ts + (task.dur ?? 0)) frame++;
    if (frame >= 0) works[frame] = (works[frame] ?? 0) + measure(task);
  }
  return works.sort((a, b) => a - b);
}

/** Scrolls by wheel events, one per frame, as a hand does. */
async function scroll(page: Page, wheels: number): Promise<void> {
  await page.mouse.move(900, 500);
  for (let i = 0; i < wheels; i++) {
    await page.mouse.wheel(0, 240);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

/** Bytes over the wire until the page stands, in a browser that has seen nothing of it. */
async function firstLoadBytes(browser: Browser, origin: string): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  const answers = new Set<string>();
  session.on('Network.requestWillBeSent', (event) => {
    // Data is not part of the page's weight, and the made-up server does not compress it.
    if (new URL(event.request.url).pathname.startsWith('/api/')) answers.add(event.requestId);
  });
  session.on('Network.loadingFinished', (event) => {
    if (!answers.has(event.requestId)) bytes += event.encodedDataLength;
  });
  await page.goto(`${origin}/explore`);
  await page.locator('ol li a').first().waitFor();
  await context.close();
  return bytes;
}

const executablePath = findChromium();
if (executablePath === undefined) throw new Error('no Chromium found: set CLEW_CHROMIUM');
const stage = await setStage({ largeSpans: spans, executablePath });
try {
  const opens: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const page = await stage.open('/explore?sort=-spans');
    await page.locator('ol li a').first().waitFor();
    const openedMs = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const from = performance.now();
          const timer = setInterval(() => {
            if (document.querySelector('[role=treegrid] [role=row]') === null) return;
            clearInterval(timer);
            requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - from)));
          }, 4);
          document.querySelector<HTMLAnchorElement>('ol li a')?.click();
        }),
    );
    opens.push(openedMs);
    await page.close();
  }
  opens.sort((a, b) => a - b);

  const page = await stage.open(`/trace/${specialTraces.large}`);
  await page.locator('[role=treegrid] [role=row]').first().waitFor();
  const session = await stage.browser.newBrowserCDPSession();
  await page.waitForTimeout(500);
  const scrolling = await record(session, () => scroll(page, 200));
  const zooming = await record(session, async () => {
    for (const key of 'wwwwwwwwwwssssssssss') {
      await page.keyboard.press(key);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
  });
  const folding = await record(session, async () => {
    for (let i = 0; i < 6; i++) {
      await page.getByRole('button', { name: 'Collapse all' }).click();
      await page.getByRole('button', { name: 'Expand all' }).click();
    }
  });
  const results = {
    spans,
    firstLoadKiB: Math.round((await firstLoadBytes(stage.browser, stage.server.origin)) / 102.4) / 10,
    openMs: { median: round(percentile(opens, 0.5)), worst: round(opens.at(-1) ?? 0) },
    scrolling,
    zooming,
    folding,
  };
  console.log(`page, trace of ${spans.toLocaleString('en-US')} spans, ${process.platform} ${process.arch}`);
  console.table({
    'first load, KiB over the wire': { measured: results.firstLoadKiB, target: 225 },
    'click to rows, median ms': { measured: results.openMs.median, target: 2000 },
    'scroll, p95 CPU ms per frame': { measured: scrolling.cpuP95Ms, target: 8 },
    'scroll, longest task, CPU ms': { measured: scrolling.cpuLongestTaskMs, target: 50 },
    'zoom, p95 CPU ms per frame': { measured: zooming.cpuP95Ms, target: 16.7 },
    'fold, longest task, CPU ms': { measured: folding.cpuLongestTaskMs, target: 50 },
    'scroll, p95 ms per frame by the clock': { measured: scrolling.p95Ms, target: 8 },
  });
  await mkdir(new URL('../results/', import.meta.url), { recursive: true });
  await writeFile(new URL('../results/web.json', import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  await stage.close();
}
