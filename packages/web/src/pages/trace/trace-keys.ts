import type { RefObject } from 'react';
import { useShortcuts } from '../../app/shortcuts.ts';
import { copyText } from '../../app/toasts.ts';
import { stepExpansion } from '../../trace/rows.ts';
import { panWindow, windowAround, zoomWindow } from '../../trace/time-axis.ts';
import { shareLink } from './TraceHeader.tsx';
import { stepError, stepMatch } from './TraceToolbar.tsx';
import type { TraceView } from './trace-view.ts';

const zoomStep = 0.6;
const panStep = 0.15;

/** Every key of the trace page. Arrows belong to the tree grid and work once it has the focus. */
export function useTraceKeys(
  view: TraceView,
  findInput: RefObject<HTMLInputElement | null>,
  focusGrid: () => void,
): void {
  const { model, window, selected } = view;
  const total = model.totalNano;
  const middle = (): number => {
    if (selected < 0) return (window.startNano + window.endNano) / 2;
    const at = (model.startNano[selected] ?? 0) + (model.durationNano[selected] ?? 0) / 2;
    return at >= window.startNano && at <= window.endNano ? at : (window.startNano + window.endNano) / 2;
  };
  const zoom = (factor: number) => (): void => view.setWindow(zoomWindow(window, factor, middle(), total));
  const pan = (share: number) => (): void => view.setWindow(panWindow(window, share, total));
  const toSelected = (): void => {
    if (selected < 0) return;
    view.setWindow(windowAround(model.startNano[selected] ?? 0, model.durationNano[selected] ?? 0, total));
  };
  const toParent = (): void => {
    const parent = selected < 0 ? -1 : (model.parent[selected] ?? -1);
    if (parent >= 0) view.select(parent);
  };
  const close = (): void => {
    if (selected >= 0) view.select(-1);
    else if (view.state.find !== '') view.change({ find: '' }, { replace: true });
  };
  const enterGrid = (last: boolean) => (): void => {
    focusGrid();
    const node = selected >= 0 ? selected : view.visible.nodes.at(last ? -1 : 0);
    if (node !== undefined) view.select(node, { replace: true });
  };
  useShortcuts('Walk', [
    { keys: 'ArrowDown', label: 'Next row', run: enterGrid(false) },
    { keys: 'ArrowUp', label: 'Previous row', run: enterGrid(true) },
    { keys: 'ArrowRight', label: 'Open, then first child', run: focusGrid },
    { keys: 'ArrowLeft', label: 'Close, then parent', run: focusGrid },
    { keys: 'p', label: 'Parent', run: toParent },
    { keys: 'e', label: 'Next error', run: () => stepError(view, 1) },
    { keys: 'E', label: 'Previous error', run: () => stepError(view, -1) },
    { keys: 'Escape', label: 'Close panel, then clear find', run: close },
  ]);
  useShortcuts('Find', [
    { keys: '/', label: 'Find in this trace', run: () => findInput.current?.focus() },
    { keys: 'n', label: 'Next match', run: () => stepMatch(view, 1) },
    { keys: 'N', label: 'Previous match', run: () => stepMatch(view, -1) },
  ]);
  useShortcuts('Tree', [
    { keys: '[', label: 'One level less', run: () => view.setExpansion(stepExpansion(model, view.expansion, -1)) },
    { keys: ']', label: 'One level more', run: () => view.setExpansion(stepExpansion(model, view.expansion, 1)) },
  ]);
  useShortcuts('Zoom', [
    { keys: 'w', label: 'Zoom in', run: zoom(zoomStep) },
    { keys: 's', label: 'Zoom out', run: zoom(1 / zoomStep) },
    { keys: 'a', label: 'Earlier', run: pan(-panStep) },
    { keys: 'd', label: 'Later', run: pan(panStep) },
    { keys: 'f', label: 'Zoom to the selected span', run: toSelected },
    { keys: '0', label: 'Whole trace', run: () => view.setWindow({ startNano: 0, endNano: total }) },
  ]);
  useShortcuts('Share', [
    { keys: 'y', label: 'Copy link', run: () => void copyText(shareLink(view), 'link') },
    { keys: 'i', label: 'Copy trace id', run: () => void copyText(model.skeleton.traceId, 'trace id') },
  ]);
}
