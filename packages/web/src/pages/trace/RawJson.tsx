import { Dialog, DialogDismiss, DialogHeading } from '@ariakit/react/dialog';
import type { SpanDetails, SpanDetailsAnswer } from '@clew/api';
import { useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import { Button, CopyButton } from '../../ui/controls.tsx';
import { Icon } from '../../ui/Icon.tsx';
import ui from '../../ui/ui.module.css';
import styles from './SpanPanel.module.css';
import { plainAttributes } from './values.ts';

/** The span as plain JSON, to read and to copy. */
export function RawJson({
  span,
  answer,
  traceId,
}: {
  readonly span: SpanDetails;
  readonly answer: SpanDetailsAnswer;
  readonly traceId: string;
}): ReactElement {
  const [open, setOpen] = useState(false);
  const text = useMemo(
    () => (open ? JSON.stringify(plainSpan(span, answer, traceId), undefined, 2) : ''),
    [open, span, answer, traceId],
  );
  return (
    <>
      <Button small look="quiet" className={styles['rawButton'] ?? ''} onClick={() => setOpen(true)}>
        JSON
      </Button>
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        className={ui['dialog']}
        backdrop={<div className={ui['dialogBackdrop']} />}
        unmountOnHide
      >
        <div className={ui['dialogHead']}>
          <DialogHeading render={<h2 />}>Span as JSON</DialogHeading>
          <div className={ui['actions']}>
            <CopyButton text={text} what="JSON" small={false} />
            <DialogDismiss className={`${ui['button']} ${ui['quiet']} ${ui['iconOnly']}`} aria-label="Close">
              <Icon name="close" />
            </DialogDismiss>
          </div>
        </div>
        <pre className={styles['raw']} tabIndex={0} aria-label="JSON">
          {text}
        </pre>
      </Dialog>
    </>
  );
}

function plainSpan(span: SpanDetails, answer: SpanDetailsAnswer, traceId: string): unknown {
  const { id: _row, resource, scope, attributes, events, links, ...rest } = span;
  const from = answer.resources[resource];
  const made = answer.scopes[scope];
  return {
    traceId,
    ...rest,
    attributes: plainAttributes(attributes),
    events: events.map((event) => ({ ...event, attributes: plainAttributes(event.attributes) })),
    links: links.map((link) => ({ ...link, attributes: plainAttributes(link.attributes) })),
    resource: from === undefined ? null : { ...from, attributes: plainAttributes(from.attributes) },
    scope: made === undefined ? null : { ...made, attributes: plainAttributes(made.attributes) },
  };
}
