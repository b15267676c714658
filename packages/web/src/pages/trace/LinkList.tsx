import { traceLink } from '@clew/api';
import type { SpanDetails } from '@clew/api';
import type { ReactElement } from 'react';
import { plural } from '../../lib/format.ts';
import { PageLink } from '../../ui/controls.tsx';
import { AttributeTable } from './AttributeTable.tsx';
import styles from './SpanPanel.module.css';

/** Links to other spans; opening one leads to its trace with the span selected. */
export function LinkList({ span }: { readonly span: SpanDetails }): ReactElement {
  return (
    <>
      {span.links.length === 0 ? <p className={styles['none']}>This span has no links.</p> : null}
      <ul className={styles['events']}>
        {span.links.map((link, index) => (
          <li key={`${link.traceId} ${link.spanId} ${index}`} className={styles['event']}>
            <header>
              <PageLink to={traceLink(link.traceId, undefined, link.spanId)}>
                <code>{link.traceId}</code>
              </PageLink>
            </header>
            <p>
              Span <code>{link.spanId}</code>
            </p>
            {link.attributes.length === 0 ? null : (
              <AttributeTable
                groups={[{ title: '', scope: 'link', attributes: link.attributes, dropped: link.droppedAttributes }]}
              />
            )}
          </li>
        ))}
      </ul>
      {span.droppedLinks > 0 ? (
        <p className={styles['none']}>{plural(span.droppedLinks, 'link')} dropped by the sender</p>
      ) : null}
    </>
  );
}
