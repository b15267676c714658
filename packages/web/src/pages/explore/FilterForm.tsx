import { emptyFilter, formatDurationExact, isEmptyFilter, parseDurationNano, searchLimits } from '@clew/api';
import type { ExploreState, OperationsAnswer, SearchFilter, SearchOrder, ServicesAnswer } from '@clew/api';
import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { ReactElement, ReactNode, RefObject } from 'react';
import { formatShortCount } from '../../lib/format.ts';
import { ComboField } from '../../ui/Combobox.tsx';
import { Button, SelectField, TextField } from '../../ui/controls.tsx';
import styles from './Explore.module.css';
import { TagsField } from './TagsField.tsx';
import type { ResolvedSearch } from './use-search.ts';

const orderTitles: Readonly<Record<SearchOrder, string>> = Object.freeze({
  newest: 'Newest first',
  oldest: 'Oldest first',
  longest: 'Longest first',
  most_spans: 'Most spans',
  most_errors: 'Most errors',
});

const limits = [20, 50, 100, 200, 500].filter((limit) => limit <= searchLimits.max);

/** The query as a form. Every change is a step in the address. */
export function FilterForm({
  state,
  change,
  services,
  operations,
  search,
  tagsInput,
  tools,
}: {
  readonly state: ExploreState;
  readonly change: (changed: Partial<ExploreState>) => void;
  readonly services: UseQueryResult<ServicesAnswer>;
  readonly operations: UseQueryResult<OperationsAnswer>;
  readonly search: ResolvedSearch | undefined;
  readonly tagsInput: RefObject<HTMLInputElement | null>;
  readonly tools: ReactNode;
}): ReactElement {
  const { filter } = state;
  const set = (changed: { readonly [K in keyof SearchFilter]?: SearchFilter[K] | undefined }): void =>
    change({ filter: withoutUndefined({ ...filter, ...changed }) });
  const serviceOptions = useMemo(
    () => (services.data?.services ?? []).map(({ name, spans }) => ({ value: name, ...countNote(spans) })),
    [services.data],
  );
  const operationOptions = useMemo(() => uniqueOperations(operations.data), [operations.data]);
  return (
    <form className={styles['form']} role="search" aria-label="Traces" onSubmit={(event) => event.preventDefault()}>
      <div className={styles['fields']}>
        <ComboField
          label="Service"
          placeholder="Any service"
          value={filter.service}
          options={serviceOptions}
          loading={services.isPending}
          onChange={(service) => set({ service, ...(service === undefined ? {} : { operation: undefined }) })}
        />
        <ComboField
          label="Operation"
          placeholder="Any operation"
          value={filter.operation}
          options={operationOptions}
          loading={operations.isPending}
          onChange={(operation) => set({ operation })}
        />
        <TagsField filter={filter} search={search} inputRef={tagsInput} onChange={(next) => change({ filter: next })} />
        <DurationField
          label="Span at least"
          value={filter.minDurationNano}
          onChange={(minDurationNano) => set({ minDurationNano })}
        />
        <DurationField
          label="Span at most"
          value={filter.maxDurationNano}
          onChange={(maxDurationNano) => set({ maxDurationNano })}
        />
      </div>
      <div className={styles['second']}>
        <Button
          aria-pressed={filter.status === 'error'}
          icon="error"
          onClick={() => set({ status: filter.status === 'error' ? undefined : 'error' })}
        >
          Errors
        </Button>
        <Button aria-pressed={filter.rootOnly} onClick={() => set({ rootOnly: !filter.rootOnly })}>
          Root spans
        </Button>
        {isEmptyFilter(filter) && state.unread === undefined ? null : (
          <Button look="quiet" icon="close" onClick={() => change({ filter: emptyFilter })}>
            Clear
          </Button>
        )}
        <div className={styles['tools']}>
          <SelectField
            label="Order"
            value={state.order}
            options={Object.entries(orderTitles).map(([value, label]) => ({ value: value as SearchOrder, label }))}
            onChange={(order) => change({ order })}
          />
          <SelectField
            label="Per page"
            value={String(state.limit)}
            options={[...new Set([...limits, state.limit])]
              .sort((a, b) => a - b)
              .map((limit) => ({ value: String(limit), label: String(limit) }))}
            onChange={(limit) => change({ limit: Number(limit) })}
          />
          {tools}
        </div>
      </div>
    </form>
  );
}

/** The optional fields of a filter are absent rather than undefined. */
function withoutUndefined(filter: { readonly [K in keyof SearchFilter]: SearchFilter[K] | undefined }): SearchFilter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined),
  ) as unknown as SearchFilter;
}

function countNote(spans: number | undefined): { readonly note?: string } {
  return spans === undefined ? {} : { note: `${formatShortCount(spans)} spans` };
}

/** A name may come once per kind; the list has it once. */
function uniqueOperations(
  answer: OperationsAnswer | undefined,
): readonly { readonly value: string; readonly note?: string }[] {
  const spans = new Map<string, number | undefined>();
  for (const operation of answer?.operations ?? []) {
    const before = spans.get(operation.name);
    spans.set(operation.name, operation.spans === undefined ? before : (before ?? 0) + operation.spans);
  }
  return [...spans].map(([value, count]) => ({ value, ...countNote(count) }));
}

function DurationField({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: bigint | undefined;
  readonly onChange: (value: bigint | undefined) => void;
}): ReactElement {
  const [error, setError] = useState<string | undefined>(undefined);
  const commit = (text: string): void => {
    const nano = parseDurationNano(text);
    const isEmpty = text.trim() === '';
    setError(isEmpty || nano !== undefined ? undefined : 'Write 250ms or 1.5s');
    if (isEmpty || nano !== undefined) onChange(isEmpty ? undefined : nano);
  };
  return (
    <TextField
      label={label}
      placeholder="250ms"
      value={value === undefined ? '' : formatDurationExact(value)}
      error={error}
      onCommit={commit}
    />
  );
}
