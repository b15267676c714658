import type { SpanDetails, SpanEvent } from '@clew/api';
import { useState } from 'react';
import type { ReactElement } from 'react';
import { formatDuration, plural } from '../../lib/format.ts';
import { Button, CopyButton } from '../../ui/controls.tsx';
import { AttributeTable } from './AttributeTable.tsx';
import styles from './SpanPanel.module.css';
import { stackLines, valueText } from './values.ts';

const exceptionKeys = ['exception.type', 'exception.message', 'exception.stacktrace'];

/** Events in order of time, exceptions with their stack. */
export function EventList({
  span,
  traceStartUnixNano,
}: {
  readonly span: SpanDetails;
  readonly traceStartUnixNano: string;
}): ReactElement {
  const events = [...span.events].sort((a, b) => (BigInt(a.timeUnixNano) < BigInt(b.timeUnixNano) ? -1 : 1));
  return (
    <>
      {events.length === 0 ? <p className={styles['none']}>This span has no events.</p> : null}
      <ol className={styles['events']}>
        {events.map((event, index) => (
          <li key={`${event.timeUnixNano} ${index}`}>
            <EventEntry event={event} span={span} traceStartUnixNano={traceStartUnixNano} />
          </li>
        ))}
      </ol>
      {span.droppedEvents > 0 ? (
        <p className={styles['none']}>{plural(span.droppedEvents, 'event')} dropped by the sender</p>
      ) : null}
    </>
  );
}

function EventEntry({
  event,
  span,
  traceStartUnixNano,
}: {
  readonly event: SpanEvent;
  readonly span: SpanDetails;
  readonly traceStartUnixNano: string;
}): ReactElement {
  const inTrace = Number(BigInt(event.timeUnixNano) - BigInt(traceStartUnixNano));
  const inSpan = Number(BigInt(event.timeUnixNano) - BigInt(span.startUnixNano));
  const attribute = (key: string): string | undefined => {
    const found = event.attributes.find((entry) => entry.key === key);
    return found === undefined ? undefined : valueText(found.value);
  };
  const isException = event.name === 'exception';
  const stack = attribute('exception.stacktrace');
  const rest = isException ? event.attributes.filter(({ key }) => !exceptionKeys.includes(key)) : event.attributes;
  return (
    <article className={styles['event']} data-exception={isException}>
      <header>
        <strong>{isException ? (attribute('exception.type') ?? 'exception') : event.name}</strong>
        <span title={`${inSpan < 0 ? '-' : ''}${formatDuration(Math.abs(inSpan))} after the span's start`}>
          {inTrace < 0 ? '−' : '+'}
          {formatDuration(Math.abs(inTrace))}
        </span>
      </header>
      {isException && attribute('exception.message') !== undefined ? <p>{attribute('exception.message')}</p> : null}
      {stack === undefined ? null : <Stack text={stack} />}
      {rest.length === 0 && event.droppedAttributes === 0 ? null : (
        <AttributeTable groups={[{ title: '', scope: 'event', attributes: rest, dropped: event.droppedAttributes }]} />
      )}
    </article>
  );
}

/** A stack trace; frames of libraries are folded until asked for. */
function Stack({ text }: { readonly text: string }): ReactElement {
  const [all, setAll] = useState(false);
  const lines = stackLines(text);
  const hidden = lines.filter((line) => line.library).length;
  return (
    <div className={styles['stack']}>
      <pre tabIndex={0} aria-label="Stack trace">
        {lines
          .filter((line) => all || !line.library)
          .map((line, index) => (
            <span key={index} data-library={line.library}>
              {line.text}
              {'\n'}
            </span>
          ))}
      </pre>
      <div className={styles['stackActions']}>
        {hidden === 0 ? null : (
          <Button small look="quiet" onClick={() => setAll(!all)}>
            {all ? 'Hide' : 'Show'} {plural(hidden, 'library frame')}
          </Button>
        )}
        <CopyButton text={text} what="stack trace" />
      </div>
    </div>
  );
}
