import { useRef } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { preferences, setPreferences } from '../../app/preferences.ts';
import { useStore } from '../../lib/store.ts';
import styles from './Trace.module.css';

const minPx = 280;
const maxPx = 900;
const keyStepPx = 24;

/** The side panel's box: beside the waterfall where there is room, a sheet at the bottom where there is not. */
export function PanelFrame({ children }: { readonly children: ReactNode }): ReactElement {
  const widthPx = useStore(preferences, (current) => current.panelWidthPx);
  const dragging = useRef<{ readonly x: number; readonly widthPx: number } | undefined>(undefined);
  const set = (next: number): void =>
    setPreferences({ panelWidthPx: Math.round(Math.max(minPx, Math.min(maxPx, next))) });
  return (
    <aside
      className={styles['panel']}
      style={{ '--panel-width': `${widthPx}px` } as Record<string, string>}
      aria-label="Selected span"
    >
      <div
        className={styles['panelResizer']}
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the panel"
        aria-valuenow={widthPx}
        aria-valuemin={minPx}
        aria-valuemax={maxPx}
        tabIndex={0}
        onPointerDown={(event) => {
          dragging.current = { x: event.clientX, widthPx };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const from = dragging.current;
          if (from !== undefined) set(from.widthPx + from.x - event.clientX);
        }}
        onPointerUp={() => {
          dragging.current = undefined;
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') set(widthPx + keyStepPx);
          if (event.key === 'ArrowRight') set(widthPx - keyStepPx);
        }}
      />
      {children}
    </aside>
  );
}
