import { Tab, TabList, TabPanel, TabProvider } from '@ariakit/react/tab';
import { receiverKey, traceLink } from '@clew/api';
import type { DemoState, IngestEvent, ReceiverStatus, StatusAnswer } from '@clew/api';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { preferences, setPreferences } from '../../app/preferences.ts';
import { showToast } from '../../app/toasts.ts';
import { useIngest } from '../../app/use-ingest.ts';
import { formatAgo, formatCount, plural } from '../../lib/format.ts';
import { useStore } from '../../lib/store.ts';
import { api } from '../../net/client.ts';
import { Button, ButtonLink, CopyButton, PageLink } from '../../ui/controls.tsx';
import { Icon } from '../../ui/Icon.tsx';
import { Banner, ErrorState, ProgressLine } from '../../ui/states.tsx';
import { snippetsFor } from './snippets.ts';
import type { SnippetAddresses } from './snippets.ts';
import styles from './Welcome.module.css';

const storagePollMs = 1000;

/** `/welcome`: from nothing to the first trace. */
export function WelcomePage(): ReactElement {
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => api.status({ signal }),
    // Until the store is ready its state is news.
    refetchInterval: (query) => (query.state.data?.storage.state === 'ready' ? false : storagePollMs),
  });
  const { event, connected } = useIngest();
  if (status.isError) {
    return (
      <ErrorState
        wholePage
        title="The server did not answer"
        error={status.error}
        onRetry={() => void status.refetch()}
      />
    );
  }
  if (status.data === undefined) return <ProgressLine active />;
  return (
    <div className={styles['page']}>
      {status.data.storage.state === 'ready' ? null : (
        <Banner tone="warning">{status.data.storage.message ?? `The store is ${status.data.storage.state}.`}</Banner>
      )}
      <div className={styles['column']}>
        <Hero status={status.data} event={event} connected={connected} />
        <Demo initial={status.data.demo} />
        <Snippets receivers={status.data.receivers} />
        <Checklist receivers={status.data.receivers} event={event} anySpans={status.data.ingest.anySpans} />
      </div>
    </div>
  );
}

/** The wait, until the first span turns it into a link. */
function Hero({
  status,
  event,
  connected,
}: {
  readonly status: StatusAnswer;
  readonly event: IngestEvent | undefined;
  readonly connected: boolean;
}): ReactElement {
  const received = status.ingest.anySpans || (event?.acceptedSpansTotal ?? 0) > 0;
  const newest = event?.newest;
  return (
    <section className={styles['hero']}>
      <div role="status">
        <h1>
          <span
            className={styles['pulse']}
            data-state={received ? 'received' : connected ? 'waiting' : 'offline'}
            aria-hidden="true"
          />
          {received ? 'Spans are arriving' : 'Waiting for your first trace'}
        </h1>
        <p className={styles['lead']}>
          {received
            ? `${plural(event?.acceptedSpansTotal ?? status.ingest.acceptedSpansTotal, 'span')} accepted since the start.`
            : 'Send spans to one of these addresses. The moment one arrives, it shows here.'}
        </p>
      </div>
      {received ? (
        <div className={styles['heroActions']}>
          {newest === undefined ? null : (
            <ButtonLink to={traceLink(newest.traceId)} look="primary">
              Open the newest trace
            </ButtonLink>
          )}
          <ButtonLink to="/explore">Explore all traces</ButtonLink>
        </div>
      ) : null}
      <ul className={styles['addresses']}>
        {status.receivers.map((receiver) => (
          <Receiver key={receiverKey(receiver)} receiver={receiver} event={event} />
        ))}
      </ul>
    </section>
  );
}

const protocolNames: Readonly<Record<ReceiverStatus['protocol'], string>> = Object.freeze({
  otlp_http: 'OTLP over HTTP',
  otlp_grpc: 'OTLP over gRPC',
  jaeger_http: 'Jaeger over HTTP',
  jaeger_grpc: 'Jaeger over gRPC',
  jaeger_udp_compact: 'Jaeger over UDP, compact',
  jaeger_udp_binary: 'Jaeger over UDP, binary',
  jaeger_udp_zipkin_compact: 'Jaeger over UDP, old clients',
  zipkin: 'Zipkin',
  awsxray: 'AWS X-Ray daemon',
});

const acknowledgedTexts = {
  durable: 'success means stored on disk',
  memory: 'success means held in memory',
  none: 'no acknowledgement',
} as const;

/** An address, its promise, and a light that turns on at the first request, accepted or not. */
function Receiver({
  receiver,
  event,
}: {
  readonly receiver: ReceiverStatus;
  readonly event: IngestEvent | undefined;
}): ReactElement {
  const counters = event?.receivers[receiverKey(receiver)] ?? receiver.counters;
  const state = counters.acceptedSpans > 0 ? 'accepted' : counters.requests > 0 ? 'refused' : 'silent';
  const refusal = counters.lastRefusal;
  return (
    <li className={styles['address']}>
      <span className={styles['light']} data-state={state} aria-hidden="true" />
      <span className={styles['protocol']}>{protocolNames[receiver.protocol]}</span>
      <code>{receiver.url}</code>
      <CopyButton text={receiver.url} what={`${protocolNames[receiver.protocol]} address`} />
      <span className={styles['note']}>
        {state === 'accepted'
          ? plural(counters.acceptedSpans, 'span')
          : state === 'refused'
            ? `${plural(counters.requests, 'request')}, none accepted`
            : acknowledgedTexts[receiver.acknowledged.means]}
      </span>
      {refusal === undefined ? null : (
        <p className={styles['refusal']}>
          Refused {formatAgo(refusal.atUnixMs, Date.now())}: {refusal.reason} {refusal.hint ?? ''}
        </p>
      )}
    </li>
  );
}

/** Made-up traces for a first look, and the way to be rid of them. */
function Demo({ initial }: { readonly initial: DemoState }): ReactElement {
  const client = useQueryClient();
  const refresh = (): void => void client.invalidateQueries({ queryKey: ['status'] });
  const failed = (error: Error): void => showToast(error.message, 'error');
  const start = useMutation({
    mutationFn: (mode: 'burst' | 'steady') => api.startDemo({ mode }),
    onSuccess: refresh,
    onError: failed,
  });
  const remove = useMutation({
    mutationFn: api.deleteDemo,
    onSuccess: (answer) => {
      start.reset();
      refresh();
      showToast(
        `Removed ${plural(answer.deletedTraces, 'demo trace')}${answer.pending ? ', finishing in the background' : ''}`,
      );
    },
    onError: failed,
  });
  const demo = start.data ?? initial;
  const busy = start.isPending || remove.isPending;
  return (
    <section className={styles['demo']}>
      <div>
        <h2>Or look at a made-up shop</h2>
        <p className={styles['muted']}>
          A gateway, six services and a queue: normal orders, a slow query, cache misses, retries and a declined
          payment.
        </p>
      </div>
      <div className={styles['heroActions']}>
        <Button look="primary" icon="play" disabled={busy} onClick={() => start.mutate('burst')}>
          Send demo traces
        </Button>
        <Button disabled={busy || demo.mode === 'steady'} onClick={() => start.mutate('steady')}>
          {demo.mode === 'steady' ? 'Sending steadily' : 'Keep sending'}
        </Button>
        {demo.tracesSent > 0 ? (
          <Button icon="trash" disabled={busy} onClick={() => remove.mutate()}>
            Remove demo data
          </Button>
        ) : null}
      </div>
      {demo.traces.length === 0 ? null : (
        <div role="status" className={styles['demoTraces']}>
          <p>{plural(demo.tracesSent, 'demo trace')} sent. Open one:</p>
          <ul>
            {demo.traces.map((trace) => (
              <li key={trace.traceId}>
                <PageLink to={traceLink(trace.traceId)}>{trace.title}</PageLink>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function addressesOf(receivers: readonly ReceiverStatus[]): SnippetAddresses {
  const find = (protocol: ReceiverStatus['protocol']): ReceiverStatus | undefined =>
    receivers.find((receiver) => receiver.protocol === protocol);
  return {
    otlpHttp: find('otlp_http')?.url,
    otlpGrpc: find('otlp_grpc')?.url,
    jaegerHttp: find('jaeger_http')?.url,
    jaegerUdpHostPort: find('jaeger_udp_compact')?.address,
    zipkin: find('zipkin')?.url,
  };
}

function Snippets({ receivers }: { readonly receivers: readonly ReceiverStatus[] }): ReactElement {
  const chosen = useStore(preferences, (current) => current.snippet);
  const snippets = snippetsFor(addressesOf(receivers));
  const current = snippets.find((snippet) => snippet.id === chosen) ?? snippets[0];
  if (current === undefined) throw new Error('there are no snippets');
  return (
    <section>
      <h2>Send from your program</h2>
      <TabProvider
        selectedId={`snippet-${current.id}`}
        setSelectedId={(id) => {
          if (id?.startsWith('snippet-') === true) setPreferences({ snippet: id.slice('snippet-'.length) });
        }}
      >
        <TabList className={styles['tabs']} aria-label="Languages and tools">
          {snippets.map((snippet) => (
            <Tab key={snippet.id} id={`snippet-${snippet.id}`} className={styles['tab']}>
              {snippet.title}
            </Tab>
          ))}
        </TabList>
        <TabPanel tabId={`snippet-${current.id}`} className={styles['snippet']}>
          <div className={styles['snippetHead']}>
            <p className={styles['muted']}>{current.intro}</p>
            <CopyButton text={current.code} what={`${current.title} snippet`}>
              Copy
            </CopyButton>
          </div>
          <pre tabIndex={0} aria-label={`${current.title} snippet`}>
            {current.code}
          </pre>
        </TabPanel>
      </TabProvider>
    </section>
  );
}

/** Steps that tick themselves; the first that is open says what to try. */
function Checklist({
  receivers,
  event,
  anySpans,
}: {
  readonly receivers: readonly ReceiverStatus[];
  readonly event: IngestEvent | undefined;
  readonly anySpans: boolean;
}): ReactElement {
  const counters = receivers.map((receiver) => event?.receivers[receiverKey(receiver)] ?? receiver.counters);
  const requests = counters.reduce((sum, entry) => sum + entry.requests, 0);
  const accepted = anySpans || counters.some((entry) => entry.acceptedSpans > 0);
  const refused = counters.reduce((sum, entry) => sum + entry.refusedRequests, 0);
  const steps = [
    {
      done: receivers.length > 0,
      title: 'An address listens',
      help: 'No receiver is configured. See the start banner of the server.',
    },
    {
      done: requests > 0 || anySpans,
      title: 'A client has connected',
      help: 'Nothing has arrived. Is the address reachable from where the program runs? Inside a container, localhost is the container. Is the exporter set to OTLP, and is sampling not off?',
    },
    {
      done: accepted,
      title: 'Spans were accepted',
      help:
        refused > 0
          ? `${formatCount(refused)} requests were refused; the reason stands beside the address above.`
          : 'A client connected but sent no spans. SDKs send in batches: wait five seconds, or let the program end in order.',
    },
  ];
  const firstOpen = steps.findIndex((step) => !step.done);
  return (
    <section>
      <h2>Nothing shows up?</h2>
      <ol className={styles['steps']}>
        {steps.map((step, index) => (
          <li key={step.title} data-done={step.done}>
            <span className={styles['tick']}>
              <Icon name={step.done ? 'check' : 'clock'} size={14} />
            </span>
            <div>
              {step.title}
              <span className="visually-hidden">{step.done ? ' (done)' : ' (open)'}</span>
              {index === firstOpen ? <p className={styles['muted']}>{step.help}</p> : null}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
