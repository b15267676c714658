import { expect, it } from 'vitest';
import { KernelDropWarning } from './kernel-drop-warning.ts';

it('drops of the kernel are told at once, then once a minute, and the rest at the end: none is left out', () => {
  let nowMs = 0;
  const told: number[] = [];
  const warning = new KernelDropWarning(
    (packets) => told.push(packets),
    () => nowMs,
  );
  warning.dropped(3);
  expect(told).toEqual([3]);
  for (nowMs = 250; nowMs < 60_000; nowMs += 250) warning.dropped(1);
  expect(told).toEqual([3]);
  nowMs = 60_000;
  warning.dropped(1);
  expect(told).toEqual([3, 240]);
  warning.dropped(5);
  warning.tellRest();
  warning.tellRest();
  expect(told).toEqual([3, 240, 5]);
});
