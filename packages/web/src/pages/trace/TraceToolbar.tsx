import { formatTrace } from '@clew/api';
import { useMemo } from 'react';
import type { ReactElement, RefObject } from 'react';
import { goTo } from '../../app/address.ts';
import { formatCount } from '../../lib/format.ts';
import { nextNode } from '../../trace/find.ts';
import { stepExpansion } from '../../trace/rows.ts';
import { isWholeTrace } from '../../trace/time-axis.ts';
import { Button } from '../../ui/controls.tsx';
import { Icon } from '../../ui/Icon.tsx';
import ui from '../../ui/ui.module.css';
import styles from './Trace.module.css';
import type { TraceView } from './trace-view.ts';

/** Goes to the next or previous found span. */
export function stepMatch(view: TraceView, step: 1 | -1): void {
  const node = nextNode(view.model, view.selected, step, (candidate) => view.find.marks[candidate] === 1);
  if (node >= 0) view.select(node, { replace: true });
}

/** Goes to the next or previous span with an error. */
export function stepError(view: TraceView, step: 1 | -1): void {
  const node = nextNode(view.model, view.selected, step, (candidate) => view.model.status[candidate] === 2);
  if (node >= 0) view.select(node, { replace: true });
}

/** Find, errors, expansion, zoom, and the services with their colours. */
export function TraceToolbar({
  view,
  findInput,
}: {
  readonly view: TraceView;
  readonly findInput: RefObject<HTMLInputElement | null>;
}): ReactElement {
  const { model, find, state } = view;
  const whole = isWholeTrace(view.window, model.totalNano);
  return (
    <div className={styles['toolbar']} role="toolbar" aria-label="Waterfall">
      <div className={styles['find']}>
        <Icon name="search" size={14} />
        <input
          ref={findInput}
          className={ui['input']}
          value={state.find}
          placeholder="Find: text, key=value, >5%"
          aria-label="Find in this trace"
          spellCheck={false}
          onChange={(event) => view.change({ find: event.target.value }, { replace: true })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') stepMatch(view, event.shiftKey ? -1 : 1);
            if (event.key === 'Escape') {
              if (state.find === '') event.currentTarget.blur();
              else view.change({ find: '' }, { replace: true });
            }
          }}
        />
      </div>
      {find.active ? <FindStatus view={view} /> : null}
      <div className={styles['group']}>
        <Button
          small
          icon="error"
          disabled={model.errorCount === 0}
          aria-label={`${formatCount(model.errorCount)} errors: go to the next`}
          onClick={() => stepError(view, 1)}
        >
          {formatCount(model.errorCount)}
        </Button>
      </div>
      <div className={styles['group']}>
        <Button
          small
          icon="expand"
          aria-label="Expand all"
          onClick={() => view.setExpansion({ preset: 'all', opened: [], closed: [] })}
        />
        <Button
          small
          icon="collapse"
          aria-label="Collapse all"
          onClick={() => view.setExpansion({ preset: 0, opened: [], closed: [] })}
        />
        <Button
          small
          aria-label="One level less"
          onClick={() => view.setExpansion(stepExpansion(model, view.expansion, -1))}
        >
          −
        </Button>
        <Button
          small
          aria-label="One level more"
          onClick={() => view.setExpansion(stepExpansion(model, view.expansion, 1))}
        >
          +
        </Button>
        {model.errorCount === 0 ? null : (
          <Button
            small
            aria-pressed={view.expansion.preset === 'err'}
            onClick={() => view.setExpansion({ preset: 'err', opened: [], closed: [] })}
          >
            Error paths
          </Button>
        )}
      </div>
      {whole ? null : (
        <Button small icon="zoomOut" onClick={() => view.setWindow({ startNano: 0, endNano: model.totalNano })}>
          Whole trace
        </Button>
      )}
      {state.root === undefined ? null : (
        <Button small icon="up" onClick={() => showWholeTree(view)}>
          Whole tree
        </Button>
      )}
      <ServiceLegend view={view} />
    </div>
  );
}

/** Leaves a subtree that the link started at. */
function showWholeTree(view: TraceView): void {
  const { root: _, ...rest } = view.state;
  goTo(formatTrace(rest));
}

function FindStatus({ view }: { readonly view: TraceView }): ReactElement {
  const { find, state, model } = view;
  const text = `${formatCount(find.count)} of ${formatCount(model.spanCount)}`;
  return (
    <div className={styles['group']}>
      <span className={styles['findCount']} role="status" data-error={find.error !== undefined}>
        {find.error === undefined ? text : `${text} (attributes not searched: ${find.error.message})`}
        {find.searching ? ' …' : ''}
      </span>
      <Button
        small
        icon="up"
        aria-label="Previous match"
        disabled={find.count === 0}
        onClick={() => stepMatch(view, -1)}
      />
      <Button
        small
        icon="down"
        aria-label="Next match"
        disabled={find.count === 0}
        onClick={() => stepMatch(view, 1)}
      />
      <Button
        small
        aria-pressed={state.findMode === 'hide'}
        onClick={() => view.change({ findMode: state.findMode === 'hide' ? 'dim' : 'hide' }, { replace: true })}
      >
        Hide others
      </Button>
    </div>
  );
}

/** Services with their colour and span count; pressing one hides its spans and everything below them. */
function ServiceLegend({ view }: { readonly view: TraceView }): ReactElement {
  const { model, state } = view;
  const counts = useMemo(() => {
    const sums = new Map<number, number>();
    for (let node = 0; node < model.spanCount; node++) {
      const service = model.service[node] ?? -1;
      sums.set(service, (sums.get(service) ?? 0) + 1);
    }
    return [...sums].filter(([service]) => service >= 0).sort((a, b) => b[1] - a[1]);
  }, [model]);
  const toggle = (name: string): void => {
    const hidden = state.hiddenServices.includes(name)
      ? state.hiddenServices.filter((other) => other !== name)
      : [...state.hiddenServices, name];
    view.change({ hiddenServices: hidden });
  };
  return (
    <ul className={styles['legend']} aria-label="Services: press to hide">
      {counts.map(([service, count]) => {
        const name = model.skeleton.services[service] ?? '';
        const slot = view.serviceColors[service]?.slot ?? 0;
        const hidden = state.hiddenServices.includes(name);
        return (
          <li key={service}>
            <button
              type="button"
              className={styles['legendItem']}
              aria-pressed={!hidden}
              title={hidden ? `Show ${name}` : `Hide ${name} and what it called`}
              onClick={() => toggle(name)}
            >
              <i className={ui['swatch']} style={{ background: `var(--service-${slot + 1})` }} aria-hidden="true" />
              <span>{name}</span>
              <small>{formatCount(count)}</small>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
