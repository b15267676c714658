import { formatTrace } from '@clew/api';
import type { ReactElement } from 'react';
import { hrefOf } from '../../app/address.ts';
import { copyText } from '../../app/toasts.ts';
import { formatAgo, formatCount, formatDateTime, formatDuration, formatNanoExact, unixMsOf } from '../../lib/format.ts';
import { nameOf, serviceOf } from '../../trace/model.ts';
import { Button, CopyButton } from '../../ui/controls.tsx';
import styles from './Trace.module.css';
import type { TraceView } from './trace-view.ts';

/** The address of the screen as something to send to a colleague, with a time hint even when this link had none. */
export function shareLink(view: TraceView): string {
  const startSec = Math.floor(unixMsOf(view.model.skeleton.startUnixNano) / 1000);
  const hint = {
    fromUnixSec: Math.max(0, startSec - 1),
    toUnixSec: startSec + Math.ceil(view.model.totalNano / 1e9) + 2,
  };
  return window.location.origin + hrefOf(formatTrace({ ...view.state, hint: view.state.hint ?? hint }));
}

/** Name, id and the facts that say what kind of trace this is. */
export function TraceHeader({ view }: { readonly view: TraceView }): ReactElement {
  const { model } = view;
  const { skeleton, mainRoot } = model;
  const startMs = unixMsOf(skeleton.startUnixNano);
  const service = mainRoot < 0 ? undefined : serviceOf(model, mainRoot);
  return (
    <header className={styles['header']}>
      <div className={styles['heading']}>
        <h1>
          {service === undefined ? null : <span className={styles['headingService']}>{service}</span>}
          {mainRoot < 0 ? 'Trace' : nameOf(model, mainRoot)}
        </h1>
        <div className={styles['traceId']}>
          <code>{skeleton.traceId}</code>
          <CopyButton text={skeleton.traceId} what="trace id" />
        </div>
        <div className={styles['headActions']}>
          <Button small icon="link" onClick={() => void copyText(shareLink(view), 'link')}>
            Copy link
          </Button>
        </div>
      </div>
      <dl className={styles['facts']}>
        <Fact name="Duration" title={formatNanoExact(model.totalNano)} value={formatDuration(model.totalNano)} strong />
        <Fact name="Started" title={formatAgo(startMs, Date.now())} value={formatDateTime(startMs)} />
        <Fact name="Spans" value={formatCount(model.spanCount)} />
        <Fact name="Services" value={formatCount(skeleton.services.length)} />
        <Fact name="Depth" value={formatCount(model.maxDepth + 1)} />
        <Fact name="Errors" value={formatCount(model.errorCount)} error={model.errorCount > 0} />
      </dl>
    </header>
  );
}

function Fact({
  name,
  value,
  title,
  strong = false,
  error = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly title?: string;
  readonly strong?: boolean;
  readonly error?: boolean;
}): ReactElement {
  return (
    <div className={styles['fact']} data-strong={strong} data-error={error}>
      <dt>{name}</dt>
      <dd title={title}>{value}</dd>
    </div>
  );
}
