import { useEffect, useImperativeHandle, useLayoutEffect, useRef } from 'react';
import type { KeyboardEvent, ReactElement, Ref } from 'react';
import { themeVersion } from '../../app/preferences.ts';
import { useStore } from '../../lib/store.ts';
import { toggleNode } from '../../trace/rows.ts';
import { panWindow, windowAround, zoomWindow } from '../../trace/time-axis.ts';
import { mountWaterfall } from '../../trace/waterfall.ts';
import type { Waterfall, WaterfallClasses } from '../../trace/waterfall.ts';
import type { TraceView } from './trace-view.ts';
import styles from './Waterfall.module.css';

const classOf = (name: string): string => styles[name] ?? '';

const classes: WaterfallClasses = {
  row: classOf('row'),
  cell: classOf('cell'),
  indent: classOf('indent'),
  fold: classOf('fold'),
  chip: classOf('chip'),
  hatched: classOf('hatched'),
  mark: classOf('mark'),
  markBelow: classOf('markBelow'),
  service: classOf('service'),
  name: classOf('name'),
  label: classOf('label'),
  count: classOf('count'),
  selected: classOf('selected'),
  dimmed: classOf('dimmed'),
  matched: classOf('matched'),
  placeholder: classOf('placeholder'),
  spacer: classOf('spacer'),
  view: classOf('view'),
  tree: classOf('tree'),
  treeInner: classOf('treeInner'),
  band: classOf('band'),
  bars: classOf('bars'),
};

/** What other parts of the screen ask of the waterfall. */
export interface WaterfallHandle {
  readonly reveal: (node: number) => void;
  readonly focus: () => void;
}

/** The tree grid: React owns the element and the keyboard, `mountWaterfall` everything inside. */
export function WaterfallView({
  view,
  treePx,
  stacked,
  onHover,
  ref,
}: {
  readonly view: TraceView;
  readonly treePx: number;
  readonly stacked: boolean;
  readonly onHover: (node: number) => void;
  readonly ref: Ref<WaterfallHandle>;
}): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  const waterfall = useRef<Waterfall | undefined>(undefined);
  const latest = useRef(view);
  latest.current = view;
  const theme = useStore(themeVersion);

  useLayoutEffect(() => {
    if (host.current === null) return undefined;
    const current = (): TraceView => latest.current;
    const mounted = mountWaterfall(
      host.current,
      {
        onSelect: (node) => current().select(node === current().selected ? -1 : node),
        onToggle: (node) => {
          const { model, expansion, open, setExpansion } = current();
          setExpansion(toggleNode(model, expansion, node, open[node] === 0));
        },
        onZoomAt: (factor, atNano) =>
          current().setWindow(zoomWindow(current().window, factor, atNano, current().model.totalNano)),
        onPan: (share) => current().setWindow(panWindow(current().window, share, current().model.totalNano)),
        onZoomTo: (node) => {
          const { model, setWindow } = current();
          setWindow(windowAround(model.startNano[node] ?? 0, model.durationNano[node] ?? 0, model.totalNano));
        },
        onHover,
      },
      classes,
    );
    waterfall.current = mounted;
    return () => mounted.destroy();
  }, [onHover]);

  const marked = view.find.active ? view.find.marks : undefined;
  useLayoutEffect(() => {
    waterfall.current?.update({
      model: view.model,
      visible: view.visible,
      open: view.open,
      serviceColors: view.serviceColors,
      marked,
      selected: view.selected,
      window: view.window,
      treePx,
      stacked,
    });
  }, [view.model, view.visible, view.open, view.serviceColors, marked, view.selected, view.window, treePx, stacked]);

  useEffect(() => {
    if (view.selected >= 0) waterfall.current?.reveal(view.selected);
  }, [view.selected, view.visible]);
  useEffect(() => waterfall.current?.refresh(), [theme]);

  useImperativeHandle(
    ref,
    () => ({
      reveal: (node) => waterfall.current?.reveal(node),
      focus: () => host.current?.focus(),
    }),
    [],
  );

  const onKeyDown = (event: KeyboardEvent): void => {
    const next = gridTarget(event, view, waterfall.current?.pageRows() ?? 10);
    if (next === undefined) return;
    event.preventDefault();
    next();
  };

  return (
    <div
      ref={host}
      className={styles['host']}
      role="treegrid"
      tabIndex={0}
      aria-label="Spans as a tree"
      aria-rowcount={view.visible.nodes.length + 1}
      aria-colcount={1}
      aria-multiselectable={false}
      onKeyDown={onKeyDown}
    />
  );
}

/** What a key does while the tree grid has the focus; undefined when it is not for the grid. */
function gridTarget(event: KeyboardEvent, view: TraceView, pageRows: number): (() => void) | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const { visible, selected } = view;
  const row = selected < 0 ? -1 : (visible.rowOf[selected] ?? -1);
  const last = visible.nodes.length - 1;
  const toRow = (target: number) => () => {
    const node = visible.nodes[Math.max(0, Math.min(last, target))];
    if (node !== undefined) view.select(node, { replace: true });
  };
  switch (event.key) {
    case 'ArrowDown':
      return toRow(row + 1);
    case 'ArrowUp':
      return toRow(row < 0 ? last : row - 1);
    case 'PageDown':
      return toRow(row + pageRows);
    case 'PageUp':
      return toRow(row - pageRows);
    case 'Home':
      return toRow(0);
    case 'End':
      return toRow(last);
    case 'ArrowRight':
    case 'ArrowLeft':
      return row < 0 ? toRow(0) : () => stepSideways(view, event.key === 'ArrowRight');
    case '*':
      return row < 0 ? undefined : () => setSubtree(view, !event.shiftKey);
    default:
      return undefined;
  }
}

/** Right opens, then goes to the first child; left closes, then goes to the parent. */
function stepSideways(view: TraceView, right: boolean): void {
  const { model, selected, open, expansion } = view;
  const hasChildren = (model.subtreeSize[selected] ?? 1) > 1;
  const isOpen = open[selected] === 1;
  if (right && hasChildren && !isOpen) view.setExpansion(toggleNode(model, expansion, selected, true));
  else if (right && hasChildren)
    view.select(model.order[(model.position[selected] ?? 0) + 1] ?? selected, { replace: true });
  else if (!right && hasChildren && isOpen) view.setExpansion(toggleNode(model, expansion, selected, false));
  else if (!right && (model.parent[selected] ?? -1) >= 0) view.select(model.parent[selected] ?? -1, { replace: true });
}

/** At most this many single exceptions are made for one subtree; a bigger one opens by its levels. */
const maxSubtreeToggles = 50;

function setSubtree(view: TraceView, open: boolean): void {
  const { model, selected } = view;
  const first = model.position[selected] ?? 0;
  const size = model.subtreeSize[selected] ?? 1;
  let expansion = view.expansion;
  let changes = 0;
  for (let at = first; at < first + size && changes < maxSubtreeToggles; at++) {
    const node = model.order[at] ?? 0;
    if ((model.subtreeSize[node] ?? 1) === 1 || view.open[node] === (open ? 1 : 0)) continue;
    expansion = toggleNode(model, expansion, node, open);
    changes++;
    // Closing needs only the top; what is below is hidden with it.
    if (!open) break;
  }
  view.setExpansion(expansion);
}
