// Question: is every request stored exactly once however often the processes are ended with kill -9? Kills the main process, the engine, or
// both, at named steps and at random moments under load, starts again each time, repeats what was not acknowledged, and asks the tables at the end.
// Usage: npm run bench -- durability [kills, default 200] [share of them at named steps, default 0.3]
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mixedKills, runLives } from '../../packages/store/src/test/durability/harness.ts';

const kills = Number(process.argv[2] ?? 200);
const atSteps = Math.round(kills * Number(process.argv[3] ?? 0.3));
const directory = await mkdtemp(join(tmpdir(), 'clew-bench-durability-'));
try {
  const startMs = performance.now();
  const result = await runLives(directory, mixedKills(kills, atSteps));
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(`${result.kills} kills (${atSteps} at named steps) in ${seconds} s`);
  console.log(
    `${result.requests} requests, ${result.rows} spans stored, ${result.wrong.length} requests not stored exactly once`,
  );
  for (const line of result.wrong.slice(0, 20)) console.log(`  ${line}`);
  const path = process.env['CLEW_BENCH_JSON'];
  if (path !== undefined) await writeFile(path, `${JSON.stringify({ ...result, atSteps, seconds }, undefined, 2)}\n`);
  if (result.wrong.length > 0) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
