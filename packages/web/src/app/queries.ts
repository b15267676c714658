import { QueryClient } from '@tanstack/react-query';
import { ApiFailure } from '../net/failure.ts';

/** Tries again only what may succeed unchanged, and not more often than the server asks for. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (attempts, error) => attempts < 3 && error instanceof ApiFailure && error.isTransient,
      retryDelay: (attempt, error) => {
        const asked = error instanceof ApiFailure ? error.retryAfterMs : undefined;
        return asked ?? Math.min(10_000, 500 * 2 ** attempt);
      },
      refetchOnWindowFocus: false,
      staleTime: 10_000,
    },
  },
});
