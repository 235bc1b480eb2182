/** Owns the page's address: the path, the chosen namespace in `?ns=`, and moving without a reload. */
import { useCallback, useEffect, useState } from 'react';

export interface PageLocation {
  readonly path: string;
  readonly namespace: string | undefined;
  readonly hash: string;
  readonly navigate: (path: string) => void;
  readonly chooseNamespace: (namespace: string) => void;
}

interface Address {
  readonly path: string;
  readonly namespace: string | undefined;
  readonly hash: string;
}

function read(): Address {
  const { pathname, search, hash } = globalThis.location;
  return { path: pathname, namespace: new URLSearchParams(search).get('ns') ?? undefined, hash };
}

export function usePageLocation(): PageLocation {
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const update = (): void => setAddress(read());
    globalThis.addEventListener('popstate', update);
    return () => globalThis.removeEventListener('popstate', update);
  }, []);
  const go = useCallback((path: string, namespace: string | undefined): void => {
    const query = namespace === undefined ? '' : `?ns=${encodeURIComponent(namespace)}`;
    const [bare = '/', hash] = path.split('#');
    history.pushState(null, '', `${bare}${query}${hash === undefined ? '' : `#${hash}`}`);
    setAddress(read());
  }, []);
  const navigate = useCallback((path: string) => go(path, read().namespace), [go]);
  const chooseNamespace = useCallback((namespace: string) => go(read().path, namespace), [go]);
  return { ...address, navigate, chooseNamespace };
}

/** The namespace to show: the one in the address, else the remembered one, else the first owned, else the first. */
export function pickNamespace(
  wanted: string | undefined,
  user: string,
  known: readonly { readonly namespace: string; readonly role: string }[],
): string | undefined {
  const has = (name: string | null | undefined): name is string => known.some(({ namespace }) => namespace === name);
  if (has(wanted)) return wanted;
  const remembered = localStorage.getItem(storageKey(user));
  if (has(remembered)) return remembered;
  return (known.find(({ role }) => role === 'owner') ?? known[0])?.namespace;
}

export function rememberNamespace(user: string, namespace: string): void {
  localStorage.setItem(storageKey(user), namespace);
}

function storageKey(user: string): string {
  return `/centraldashboard/selectedNamespace/.${user}`;
}
