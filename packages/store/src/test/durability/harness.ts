import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FAULT_STEPS } from '../../journal/faults.ts';
import type { LifePlan, LifeReport, Moment, Victim } from './messages.ts';

/** One kill to come. */
export interface PlannedKill {
  readonly victim: Victim;
  readonly moment: Moment;
}

/** What came of a run. */
export interface DurabilityResult {
  readonly kills: number;
  readonly requests: number;
  readonly rows: number;
  /** Requests that are not stored exactly once, in words. Empty when all is well. */
  readonly wrong: readonly string[];
}

const SENDERS = 6;
/** No life may take longer than this, in milliseconds. */
const LIFE_DEADLINE_MS = 120_000;

/**
 * Runs one life after another on a directory, each ended as planned, and sends again what was not acknowledged, as clients do. The last life ends by
 * itself and asks the tables whether every request is there exactly once.
 */
export async function runLives(directory: string, kills: readonly PlannedKill[]): Promise<DurabilityResult> {
  const acknowledged = new Set<number>();
  let next = 0;
  let struck = 0;
  for (const kill of kills) {
    await runLife({ directory, repeat: missing(acknowledged, next), next, senders: SENDERS, kill, verify: false });
    struck++;
  }
  const plan = { directory, repeat: missing(acknowledged, next), next, senders: SENDERS, requests: 20, verify: true };
  const verified = await runLife(plan);
  if (verified === undefined) throw new Error('the last life ended without an answer');
  return { kills: struck, requests: next, rows: verified.rows, wrong: verified.wrong };

  async function runLife(life: LifePlan): Promise<Extract<LifeReport, { kind: 'verified' }> | undefined> {
    let answer: Extract<LifeReport, { kind: 'verified' }> | undefined;
    const child = fork(fileURLToPath(new URL('./life.ts', import.meta.url)), [], {
      env: { ...process.env, CLEW_DURABILITY: JSON.stringify(life) },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('message', (message: LifeReport) => {
      if (message.kind === 'acknowledged') {
        acknowledged.add(message.request);
        next = Math.max(next, message.request + 1);
      } else if (message.kind === 'verified') answer = message;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIFE_DEADLINE_MS);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    clearTimeout(timer);
    // A life that is not to be ended, or only lost its engine, must end well.
    const planned = life.kill !== undefined && life.kill.victim !== 'engine';
    if (signal === null ? code !== 0 : !planned) {
      throw new Error(`a life ended with code ${code} and signal ${signal} (${JSON.stringify(life.kill)}): ${errors}`);
    }
    return answer;
  }
}

/** Requests below `next` that nobody acknowledged. */
function missing(acknowledged: ReadonlySet<number>, next: number): number[] {
  const numbers: number[] = [];
  for (let request = 0; request < next; request++) if (!acknowledged.has(request)) numbers.push(request);
  return numbers;
}

const victims: readonly Victim[] = ['main', 'engine', 'both'];

/** `count` kills, `atSteps` of them at named steps so that every step and victim has its turn, the others at random times; mixed evenly. */
export function mixedKills(count: number, atSteps: number): PlannedKill[] {
  const kills: PlannedKill[] = [];
  for (let i = 0, steps = 0; i < count; i++) {
    if (steps * count < i * atSteps || (i === 0 && atSteps > 0)) kills.push(killAtStep(steps++));
    else
      kills.push({ victim: victims[i % 3]!, moment: { kind: 'time', afterMs: 50 + Math.floor(Math.random() * 1200) } });
  }
  return kills;
}

function killAtStep(index: number): PlannedKill {
  const step = FAULT_STEPS[index % FAULT_STEPS.length]!;
  // One further in each round over the steps, so that a step meets every victim.
  const victim = victims[(index + Math.floor(index / FAULT_STEPS.length)) % 3]!;
  return { victim, moment: { kind: 'step', step, nth: 1 + (index % 4) } };
}
