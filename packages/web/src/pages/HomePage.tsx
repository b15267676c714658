import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ReactElement } from 'react';
import { goTo } from '../app/address.ts';
import { api } from '../net/client.ts';
import { ErrorState, ProgressLine } from '../ui/states.tsx';

/** `/`: the traces if there are any, else the way to the first one. */
export function HomePage(): ReactElement {
  const status = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => api.status({ signal }) });
  const target = status.data === undefined ? undefined : status.data.ingest.anySpans ? '/explore' : '/welcome';
  useEffect(() => {
    if (target !== undefined) goTo(target, { replace: true });
  }, [target]);
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
  return <ProgressLine active />;
}
