import { apiPaths } from '@clew/api';
import type { IngestEvent } from '@clew/api';
import { useEffect, useState } from 'react';
import { apiAddress } from '../net/client.ts';

/** The live count of what arrives, and whether the connection stands. */
export interface IngestFeed {
  readonly event: IngestEvent | undefined;
  readonly connected: boolean;
}

/** Follows `/live` while the component is on screen; the browser reconnects by itself. */
export function useIngest(): IngestFeed {
  const [feed, setFeed] = useState<IngestFeed>({ event: undefined, connected: false });
  useEffect(() => {
    const source = new EventSource(apiAddress(apiPaths.live));
    source.addEventListener('ingest', (message: MessageEvent<string>) => {
      setFeed({ event: JSON.parse(message.data) as IngestEvent, connected: true });
    });
    source.addEventListener('open', () => setFeed((current) => ({ ...current, connected: true })));
    source.addEventListener('error', () => setFeed((current) => ({ ...current, connected: false })));
    return () => source.close();
  }, []);
  return feed;
}
