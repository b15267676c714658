import type { TraceModel } from './model.ts';

/**
 * A trace squeezed into a small picture: cell (lane, column) holds 1 + the colour slot that covers it most,
 * 0 when nothing ran. `errors` marks the cells in which a failed span ended.
 */
export interface Lanes {
  readonly lanes: number;
  readonly columns: number;
  readonly cells: Uint8Array;
  readonly errors: Uint8Array;
}

/**
 * Sorts all spans, in tree order, into at most `maxLanes` lanes of `columns` columns. Each span costs two
 * additions (where it begins and ends, per colour slot); sums along the lanes then give the coverage. O(spans
 * + lanes × columns × slots), so a hundred thousand spans take a few milliseconds.
 */
export function squeezeTrace(
  model: TraceModel,
  slotOfService: Uint8Array,
  slots: number,
  maxLanes: number,
  columns: number,
): Lanes {
  const lanes = Math.max(1, Math.min(maxLanes, model.spanCount));
  const width = columns + 1;
  // One difference array per lane and slot; the slot after the last collects errors.
  const changes = new Int32Array(lanes * (slots + 1) * width);
  const scale = columns / model.totalNano;
  for (let at = 0; at < model.nodeCount; at++) {
    const node = model.order[at] ?? 0;
    if (node >= model.spanCount) continue;
    const lane = Math.min(lanes - 1, Math.floor((at * lanes) / model.nodeCount));
    const start = model.startNano[node] ?? 0;
    const first = Math.min(columns - 1, Math.floor(start * scale));
    const last = Math.min(columns, Math.max(first + 1, Math.ceil((start + (model.durationNano[node] ?? 0)) * scale)));
    const slot = slotOfService[model.service[node] ?? -1] ?? 0;
    addInterval(changes, (lane * (slots + 1) + slot) * width, first, last);
    if (model.status[node] === 2) addInterval(changes, (lane * (slots + 1) + slots) * width, last - 1, last);
  }
  return sumLanes(changes, lanes, columns, slots);
}

function addInterval(changes: Int32Array, base: number, first: number, last: number): void {
  changes[base + first] = (changes[base + first] ?? 0) + 1;
  changes[base + last] = (changes[base + last] ?? 0) - 1;
}

function sumLanes(changes: Int32Array, lanes: number, columns: number, slots: number): Lanes {
  const cells = new Uint8Array(lanes * columns);
  const errors = new Uint8Array(lanes * columns);
  const running = new Int32Array(slots + 1);
  for (let lane = 0; lane < lanes; lane++) {
    running.fill(0);
    for (let column = 0; column < columns; column++) {
      let best = -1;
      let most = 0;
      for (let slot = 0; slot <= slots; slot++) {
        const sum = (running[slot] ?? 0) + (changes[(lane * (slots + 1) + slot) * (columns + 1) + column] ?? 0);
        running[slot] = sum;
        if (slot < slots && sum > most) {
          most = sum;
          best = slot;
        }
      }
      cells[lane * columns + column] = best + 1;
      errors[lane * columns + column] = (running[slots] ?? 0) > 0 ? 1 : 0;
    }
  }
  return { lanes, columns, cells, errors };
}
