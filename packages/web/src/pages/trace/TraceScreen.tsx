import type { TraceState } from '@clew/api';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { ReactElement, RefObject } from 'react';
import { preferences } from '../../app/preferences.ts';
import { useStore } from '../../lib/store.ts';
import { nameOf, serviceOf } from '../../trace/model.ts';
import type { TraceModel } from '../../trace/model.ts';
import { Banner, EmptyState } from '../../ui/states.tsx';
import { Breadcrumb } from './Breadcrumb.tsx';
import { Minimap } from './Minimap.tsx';
import { PanelFrame } from './PanelFrame.tsx';
import { RulerRow } from './Ruler.tsx';
import { SpanPanel } from './SpanPanel.tsx';
import { TraceBanners } from './TraceBanners.tsx';
import { TraceHeader } from './TraceHeader.tsx';
import styles from './Trace.module.css';
import { TraceToolbar } from './TraceToolbar.tsx';
import { useTraceView } from './trace-view.ts';
import { useTraceKeys } from './trace-keys.ts';
import { WaterfallView } from './WaterfallView.tsx';
import type { WaterfallHandle } from './WaterfallView.tsx';

/** Below this the bars lie under the names. */
const stackedBelowPx = 620;
const minTreePx = 160;

/** The trace page once its skeleton is there. */
export function TraceScreen({
  model,
  state,
  refreshError,
}: {
  readonly model: TraceModel;
  readonly state: TraceState;
  readonly refreshError: Error | undefined;
}): ReactElement {
  const view = useTraceView(model, state);
  const waterfall = useRef<WaterfallHandle>(null);
  const findInput = useRef<HTMLInputElement>(null);
  const [hovered, setHovered] = useState(-1);
  const body = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(body);
  const treeShare = useStore(preferences, (current) => current.treeShare);
  const stacked = widthPx < stackedBelowPx;
  const treePx = Math.round(Math.max(minTreePx, Math.min(widthPx * 0.6, widthPx * treeShare)));
  const onHover = useCallback((node: number) => setHovered(node), []);
  const focusGrid = useCallback(() => waterfall.current?.focus(), []);
  useTraceKeys(view, findInput, focusGrid);
  useTitle(model);

  if (model.spanCount === 0) {
    return (
      <EmptyState wholePage title="This trace has no spans">
        <p>Its spans were deleted, or none has arrived yet.</p>
      </EmptyState>
    );
  }
  return (
    <div className={styles['page']}>
      <TraceHeader view={view} />
      <TraceBanners model={model} />
      {refreshError === undefined ? null : (
        <Banner tone="warning">
          New spans could not be asked for; what is shown may be behind. {refreshError.message}
        </Banner>
      )}
      <Minimap view={view} hovered={hovered} />
      <TraceToolbar view={view} findInput={findInput} />
      <div className={styles['split']}>
        <div ref={body} className={styles['main']}>
          <Breadcrumb view={view} />
          <RulerRow view={view} widthPx={widthPx} treePx={treePx} stacked={stacked} />
          <WaterfallView ref={waterfall} view={view} treePx={treePx} stacked={stacked} onHover={onHover} />
        </div>
        {view.selected < 0 ? null : (
          <PanelFrame>
            <SpanPanel view={view} />
          </PanelFrame>
        )}
      </div>
    </div>
  );
}

function useTitle(model: TraceModel): void {
  useEffect(() => {
    const name = model.mainRoot < 0 ? 'Trace' : nameOf(model, model.mainRoot);
    const service = model.mainRoot < 0 ? undefined : serviceOf(model, model.mainRoot);
    document.title = `${service === undefined ? name : `${service}: ${name}`} · Clew`;
  }, [model]);
}

/** The width of an element, kept current. */
function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(1000);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}
