/** Owns loading of data into a component: pending, value or error, and loading again. */
import { useCallback, useEffect, useState } from 'react';
import { ApiError } from './client.ts';

export type Loaded<T> =
  | { readonly state: 'pending' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string; readonly status: number };

export interface LoadedData<T> {
  readonly data: Loaded<T>;
  readonly reload: () => void;
}

/** Loads when `load` changes and every `everyMs` while the page is visible; keeps the last value while loading again. */
export function useLoaded<T>(load: () => Promise<T>, everyMs?: number): LoadedData<T> {
  const [data, setData] = useState<Loaded<T>>({ state: 'pending' });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  useEffect(() => {
    let current = true;
    load().then(
      (value) => current && setData({ state: 'ready', value }),
      (error: unknown) => current && setData(toFailure(error)),
    );
    return () => {
      current = false;
    };
  }, [load, turn]);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);
  return { data, reload };
}

function toFailure(error: unknown): Loaded<never> {
  const message = error instanceof Error ? error.message : 'Something went wrong.';
  return { state: 'failed', message, status: error instanceof ApiError ? error.status : 0 };
}
