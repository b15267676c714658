import type { ReactElement } from 'react';
import { nameOf, pathTo, serviceOf } from '../../trace/model.ts';
import styles from './Trace.module.css';
import type { TraceView } from './trace-view.ts';

/** How many spans at the end of a long path are named; the ones between are counted. */
const tailLength = 4;

/** The way from the root to the selected span. */
export function Breadcrumb({ view }: { readonly view: TraceView }): ReactElement | null {
  const { model, selected } = view;
  if (selected < 0) return null;
  const path = pathTo(model, selected);
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
