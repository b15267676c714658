import type { Expansion, TraceState } from '@clew/api';
import { formatTrace } from '@clew/api';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { goTo } from '../../app/address.ts';
import type { ServiceColor } from '../../lib/service-colors.ts';
import { useSettled } from '../../lib/use-settled.ts';
import { api } from '../../net/client.ts';
import { addFoundRows, countMarked, findInSkeleton, parseFind } from '../../trace/find.ts';
import { nodeOfSpanId, spanIdOf } from '../../trace/model.ts';
import type { TraceModel } from '../../trace/model.ts';
import { colorsOfTrace } from '../../trace/palette.ts';
import { openNodes, revealNode, visibleRows } from '../../trace/rows.ts';
import type { VisibleRows } from '../../trace/rows.ts';
import { clampWindow, isWholeTrace } from '../../trace/time-axis.ts';
import type { TimeWindow } from '../../trace/time-axis.ts';

/** How long the zoom must rest before the address follows it. */
const zoomSettleMs = 250;
/** How long typing must rest before the server is asked. */
const findSettleMs = 250;

/** Everything the parts of the trace screen share: what is shown, and how to change it. */
export interface TraceView {
  readonly model: TraceModel;
  readonly state: TraceState;
  readonly serviceColors: readonly ServiceColor[];
  readonly expansion: Expansion;
  readonly open: Uint8Array;
  readonly visible: VisibleRows;
  /** Selected node, -1 for none. */
  readonly selected: number;
  readonly window: TimeWindow;
  readonly find: FindResult;
  readonly change: (change: Partial<TraceState>, options?: { readonly replace?: boolean }) => void;
  readonly setExpansion: (expansion: Expansion) => void;
  /** Selects a node and opens its ancestors; -1 clears. Steps with the keyboard replace the address. */
  readonly select: (node: number, options?: { readonly replace?: boolean }) => void;
  readonly setWindow: (window: TimeWindow) => void;
}

/** What the find box found. */
export interface FindResult {
  readonly active: boolean;
  readonly marks: Uint8Array;
  readonly count: number;
  /** True while the server still looks through attributes. */
  readonly searching: boolean;
  readonly error: Error | undefined;
}

/** Derives the view from the trace and the address. */
export function useTraceView(model: TraceModel, state: TraceState): TraceView {
  const latest = useRef(state);
  latest.current = state;
  const change = useCallback<TraceView['change']>((changed, options) => {
    goTo(formatTrace({ ...latest.current, ...changed }), options);
  }, []);

  const serviceColors = useMemo(() => colorsOfTrace(model), [model]);
  const expansionText = JSON.stringify(state.expansion);
  const expansion = useMemo(() => state.expansion ?? openByDefault, [expansionText]);
  const open = useMemo(() => openNodes(model, expansion), [model, expansion]);
  const selected = useMemo(
    () => (state.span === undefined ? -1 : nodeOfSpanId(model, state.span)),
    [model, state.span],
  );
  const find = useFind(model, state.find);
  const [window, setWindow] = useZoom(model, state, change);
  const visible = useVisible(model, state, open, find);

  const setExpansion = useCallback((next: Expansion) => change({ expansion: next }, { replace: true }), [change]);
  const select = useCallback<TraceView['select']>(
    (node, options) => {
      if (node < 0) {
        const { span: _, ...rest } = latest.current;
        goTo(formatTrace(rest), options);
        return;
      }
      const revealed = revealNode(model, expansion, open, node);
      change({ span: spanIdOf(model, node), ...(revealed === expansion ? {} : { expansion: revealed }) }, options);
    },
    [model, expansion, open, change],
  );
  return {
    model,
    state,
    serviceColors,
    expansion,
    open,
    visible,
    selected,
    window,
    find,
    change,
    setExpansion,
    select,
    setWindow,
  };
}

const openByDefault: Expansion = Object.freeze({ preset: 'all', opened: [], closed: [] });

function useVisible(model: TraceModel, state: TraceState, open: Uint8Array, find: FindResult): VisibleRows {
  const hidden = state.hiddenServices.join('\n');
  const keep = find.active && state.findMode === 'hide' ? find.marks : undefined;
  return useMemo(() => {
    const names = new Set(hidden === '' ? [] : hidden.split('\n'));
    const hiddenServices = new Set(model.skeleton.services.flatMap((name, index) => (names.has(name) ? [index] : [])));
    const root = state.root === undefined ? -1 : nodeOfSpanId(model, state.root);
    return visibleRows(model, {
      open,
      hiddenServices,
      ...(keep === undefined ? {} : { keep }),
      ...(root < 0 ? {} : { root }),
    });
  }, [model, open, hidden, keep, state.root]);
}

/** Words are looked for here at once and in attributes on the server once typing rests. */
function useFind(model: TraceModel, text: string): FindResult {
  const shown = useDeferredValue(text);
  const query = useMemo(() => parseFind(shown), [shown]);
  const local = useMemo(() => findInSkeleton(model, query), [model, query]);
  const settled = useSettled(query.kind === 'text' ? query.text : '', findSettleMs);
  const { traceId, etag } = model.skeleton;
  const remote = useQuery({
    queryKey: ['find', traceId, etag, settled],
    enabled: settled !== '',
    queryFn: ({ signal }) => api.find(traceId, settled, { signal }),
  });
  const answer = query.kind === 'text' && settled === query.text ? remote.data : undefined;
  return useMemo(() => {
    const marks = answer === undefined ? local : addFoundRows(local, answer.rows);
    return {
      active: query.kind !== 'none',
      marks,
      count: countMarked(marks),
      searching: query.kind === 'text' && answer === undefined && !remote.isError,
      error: query.kind === 'text' ? (remote.error ?? undefined) : undefined,
    };
  }, [query, local, answer, remote.isError, remote.error]);
}

/** The zoom moves with the pointer; the address follows when it rests, and leads when it changes by itself. */
function useZoom(
  model: TraceModel,
  state: TraceState,
  change: TraceView['change'],
): readonly [TimeWindow, (window: TimeWindow) => void] {
  const total = model.totalNano;
  const inAddress = state.zoom === undefined ? undefined : `${state.zoom.startNano},${state.zoom.endNano}`;
  const written = useRef(inAddress);
  const [window, setWindow] = useState<TimeWindow>(() =>
    clampWindow(state.zoom ?? { startNano: 0, endNano: total }, total),
  );
  const latestState = useRef(state);
  latestState.current = state;

  useEffect(() => {
    if (written.current === inAddress) return;
    written.current = inAddress;
    setWindow(clampWindow(latestState.current.zoom ?? { startNano: 0, endNano: total }, total));
  }, [inAddress, total]);

  useEffect(() => {
    const timer = setTimeout(() => {
      const startNano = Math.floor(window.startNano);
      const endNano = Math.ceil(window.endNano);
      const text = isWholeTrace(window, total) ? undefined : `${startNano},${endNano}`;
      if (text === written.current) return;
      written.current = text;
      if (text !== undefined) change({ zoom: { startNano, endNano } }, { replace: true });
      else {
        const { zoom: _, ...rest } = latestState.current;
        goTo(formatTrace(rest), { replace: true });
      }
    }, zoomSettleMs);
    return () => clearTimeout(timer);
  }, [window, total, change]);

  // A trace that grew is shown whole when it was before.
  const before = useRef(total);
  useEffect(() => {
    if (before.current === total) return;
    setWindow((current) =>
      isWholeTrace(current, before.current) ? { startNano: 0, endNano: total } : clampWindow(current, total),
    );
    before.current = total;
  }, [total]);
  return [window, setWindow];
}
