import type { ReactElement } from 'react';
import { nameOf, pathTo, serviceOf } from '../../trace/model.ts';
import styles from './Trace.module.css';
import type { TraceView } from './trace-view.ts';

/** How many spans at the end of a long path are named; the ones between are counted. */
const tailLength = 4;

/** The way from the root to the selected span; without a selection, the root. */
export function Breadcrumb({ view }: { readonly view: TraceView }): ReactElement | null {
  const { model, selected } = view;
  // Always there, if only with the root: rows must not move under the pointer when one is selected.
  const end = selected < 0 ? model.mainRoot : selected;
  if (end < 0) return null;
  const path = pathTo(model, end);
  const isLong = path.length > tailLength + 1;
  const shown = isLong ? [path[0] ?? 0, ...path.slice(-tailLength)] : path;
  return (
    <nav className={styles['breadcrumb']} aria-label="Path to the selected span">
      <ol>
        {shown.map((node, index) => (
          <li key={node}>
            {isLong && index === 1 ? (
              <span className={styles['crumbGap']}>… {path.length - tailLength - 1} more …</span>
            ) : null}
            <button
              type="button"
              aria-current={node === selected ? 'true' : undefined}
              onClick={() => view.select(node)}
              title={serviceOf(model, node)}
            >
              {nameOf(model, node)}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
