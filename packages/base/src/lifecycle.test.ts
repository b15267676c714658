import { describe, expect, it } from 'vitest';
import { Lifecycle } from './lifecycle.ts';

const never = new AbortController().signal;

function recorded(failing?: 'start' | 'drain' | 'stop') {
  const steps: string[] = [];
  const step = (name: 'start' | 'drain' | 'stop') => async () => {
    steps.push(name);
    await Promise.resolve();
    if (name === failing) throw new Error(`${name} failed`);
  };
  return { steps, life: new Lifecycle('thing', { start: step('start'), drain: step('drain'), stop: step('stop') }) };
}

describe('Lifecycle', () => {
  it('cleans up after a failed start and rethrows its error', async () => {
    const { life, steps } = recorded('start');
    await expect(life.start()).rejects.toThrow('start failed');
    expect(steps).toEqual(['start', 'stop']);
    expect(life.state()).toMatchObject({ kind: 'failed' });
    await life.stop(never);
    expect(steps).toEqual(['start', 'stop']);
  });

  it('stops even when draining fails, and reports the failure', async () => {
    const { life, steps } = recorded('drain');
    await life.start();
    await expect(life.stop(never)).rejects.toThrow('drain failed');
    expect(steps).toEqual(['start', 'drain', 'stop']);
    expect(life.state()).toEqual({ kind: 'stopped' });
  });

  it('refuses a start after the end', async () => {
    const { life } = recorded();
    await life.stop(never);
    await expect(life.start()).rejects.toMatchObject({ code: 'invalid_state' });
  });

  it('runs every step once, however often and early it is asked', async () => {
    const { life, steps } = recorded();
    const started = [life.start(), life.start()];
    const stopped = [life.stop(never), life.stop(never), life.drain(never)];
    await Promise.all([...started, ...stopped]);
    expect(steps).toEqual(['start', 'drain', 'stop']);
  });

  it('does nothing on stop when it never started', async () => {
    const { life, steps } = recorded();
    await life.stop(never);
    expect(steps).toEqual([]);
    expect(life.state()).toEqual({ kind: 'stopped' });
  });
});
