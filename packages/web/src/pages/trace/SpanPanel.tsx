import { Tab, TabList, TabPanel, TabProvider } from '@ariakit/react/tab';
import { emptyFilter, formatExplore, defaultExplore, spanFlags } from '@clew/api';
import type { SpanDetails, SpanDetailsAnswer, TraceTab } from '@clew/api';
import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { formatDuration, formatNanoExact, formatShare, kindName } from '../../lib/format.ts';
import { api } from '../../net/client.ts';
import { selfTimeNano } from '../../trace/coverage.ts';
import { isPlaceholder, nameOf, serviceOf, spanIdOf } from '../../trace/model.ts';
import { Button, CopyButton, PageLink } from '../../ui/controls.tsx';
import { EmptyState, ErrorState, ProgressLine } from '../../ui/states.tsx';
import { ServiceChip } from '../../ui/ServiceChip.tsx';
import { AttributeTable } from './AttributeTable.tsx';
import { EventList } from './EventList.tsx';
import { LinkList } from './LinkList.tsx';
import { RawJson } from './RawJson.tsx';
import styles from './SpanPanel.module.css';
import type { TraceView } from './trace-view.ts';

/** Tabs of the panel that exist; a link to another shows the first. */
const tabs = ['attributes', 'events', 'links'] as const satisfies readonly TraceTab[];

/** Everything about the selected span. */
export function SpanPanel({ view }: { readonly view: TraceView }): ReactElement {
  const { model, selected } = view;
  const spanId = spanIdOf(model, selected);
  const placeholder = isPlaceholder(model, selected);
  const { traceId, etag } = model.skeleton;
  const details = useQuery({
    queryKey: ['spans', traceId, etag, spanId],
    enabled: !placeholder,
    queryFn: ({ signal }) => api.spans(traceId, [spanId], { signal }),
    staleTime: Infinity,
  });
  const answer = details.data;
  const span = answer?.spans.find(({ id }) => id === spanId);
  return (
    <>
      <PanelHead view={view} spanId={span?.spanId ?? spanId} />
      <div className={styles['body']}>
        <ProgressLine active={details.isFetching} />
        {placeholder ? (
          <EmptyState title="This span is not here" icon="info">
            <p>Spans below name it as their parent. It was never sent, was not sampled, or is still on its way.</p>
          </EmptyState>
        ) : null}
        {details.isError ? (
          <ErrorState
            title="The span's details could not be loaded"
            error={details.error}
            onRetry={() => void details.refetch()}
          />
        ) : null}
        {span !== undefined && answer !== undefined ? <PanelTabs view={view} span={span} answer={answer} /> : null}
        {answer !== undefined && span === undefined ? (
          <EmptyState title="The span is gone" icon="info">
            <p>It was deleted since this page was loaded.</p>
          </EmptyState>
        ) : null}
      </div>
    </>
  );
}

function PanelHead({ view, spanId }: { readonly view: TraceView; readonly spanId: string }): ReactElement {
  const { model, selected } = view;
  const service = serviceOf(model, selected);
  const duration = model.durationNano[selected] ?? 0;
  const slot = view.serviceColors[model.service[selected] ?? -1]?.slot;
  const facts: readonly (readonly [string, string, string?])[] = [
    ['Duration', formatDuration(duration), formatNanoExact(duration)],
    ['Self', formatDuration(selfTimeNano(model, selected))],
    ['Starts at', formatDuration(model.startNano[selected] ?? 0), formatNanoExact(model.startNano[selected] ?? 0)],
    ['Of trace', formatShare(duration / model.totalNano)],
    ['Kind', kindName(model.kind[selected] ?? 0)],
  ];
  return (
    <div className={styles['head']}>
      <div className={styles['title']}>
        <h2>{nameOf(model, selected)}</h2>
        <Button look="quiet" small icon="close" aria-label="Close the panel" onClick={() => view.select(-1)} />
      </div>
      <div className={styles['sub']}>
        {service === undefined ? null : (
          <PageLink
            to={formatExplore({ ...defaultExplore, filter: { ...emptyFilter, service } })}
            className={styles['serviceLink']}
          >
            <ServiceChip name={service} {...(slot === undefined ? {} : { slot })} />
          </PageLink>
        )}
        <code>{spanId}</code>
        <CopyButton text={spanId} what="span id" />
      </div>
      <dl className={styles['facts']}>
        {facts.map(([name, value, title]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={title}>{value}</dd>
          </div>
        ))}
      </dl>
      <Damage flags={model.flags[selected] ?? 0} />
    </div>
  );
}

const damages: readonly (readonly [number, string])[] = [
  [spanFlags.negativeDuration, 'It ends before it starts; shown with no duration.'],
  [spanFlags.unsetStart, 'Its start was not set; shown at the start of the trace.'],
  [spanFlags.duplicateId, 'Another span of this trace was sent with the same id.'],
  [spanFlags.sharedId, 'Caller and callee were sent with one span id; the callee is shown as the caller’s child.'],
  [spanFlags.parentCycle, 'Its parent was dropped because following it would run in a circle.'],
];

function Damage({ flags }: { readonly flags: number }): ReactElement | null {
  const found = damages.filter(([bit]) => (flags & bit) !== 0);
  if (found.length === 0) return null;
  return (
    <ul className={styles['damage']}>
      {found.map(([bit, text]) => (
        <li key={bit}>{text}</li>
      ))}
    </ul>
  );
}

function PanelTabs({
  view,
  span,
  answer,
}: {
  readonly view: TraceView;
  readonly span: SpanDetails;
  readonly answer: SpanDetailsAnswer;
}): ReactElement {
  const selectedTab = tabs.find((tab) => tab === view.state.tab) ?? 'attributes';
  const resource = answer.resources[span.resource];
  const scope = answer.scopes[span.scope];
  const titles: Readonly<Record<(typeof tabs)[number], string>> = {
    attributes: 'Attributes',
    events: `Events ${span.events.length}`,
    links: `Links ${span.links.length}`,
  };
  return (
    <>
      {span.status.code === 2 ? (
        <p className={styles['error']} role="note">
          <strong>Error</strong> {span.status.message ?? 'without a message'}
        </p>
      ) : null}
      <TabProvider
        selectedId={`tab-${selectedTab}`}
        setSelectedId={(id) => {
          const tab = tabs.find((name) => id === `tab-${name}`);
          if (tab !== undefined && tab !== selectedTab) view.change({ tab }, { replace: true });
        }}
      >
        <div className={styles['tabs']}>
          <TabList className={styles['tabList']} aria-label="Parts of the span">
            {tabs.map((tab) => (
              <Tab key={tab} id={`tab-${tab}`} className={styles['tab']}>
                {titles[tab]}
              </Tab>
            ))}
          </TabList>
          <RawJson span={span} answer={answer} traceId={view.model.skeleton.traceId} />
        </div>
        <TabPanel tabId={`tab-${selectedTab}`} className={styles['tabPanel']}>
          {selectedTab === 'attributes' ? (
            <AttributeTable
              groups={[
                { title: 'Span', scope: 'span', attributes: span.attributes, dropped: span.droppedAttributes },
                {
                  title: 'Resource',
                  scope: 'resource',
                  attributes: resource?.attributes ?? [],
                  dropped: resource?.droppedAttributes ?? 0,
                },
                {
                  title:
                    scope === undefined
                      ? 'Scope'
                      : `Scope ${scope.name}${scope.version === undefined ? '' : ` ${scope.version}`}`,
                  scope: 'instrumentation',
                  attributes: scope?.attributes ?? [],
                  dropped: scope?.droppedAttributes ?? 0,
                  named: scope !== undefined && scope.name !== '',
                },
              ]}
            />
          ) : null}
          {selectedTab === 'events' ? (
            <EventList span={span} traceStartUnixNano={view.model.skeleton.startUnixNano} />
          ) : null}
          {selectedTab === 'links' ? <LinkList span={span} /> : null}
        </TabPanel>
      </TabProvider>
    </>
  );
}
