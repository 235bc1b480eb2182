/** Owns the frame in which an application of the platform is shown below the dashboard's bars. */
import { useEffect, useRef } from 'react';
import type { ReactElement } from 'react';
import { FROM_APP, FROM_DASHBOARD, isFrameMessage } from './messages.ts';

export interface AppFrameProps {
  /** Path of the application on this origin. */
  readonly path: string;
  readonly namespace: string | undefined;
}

export function AppFrame({ path, namespace }: AppFrameProps): ReactElement {
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    const send = (type: string, value: unknown): void =>
      frame.current?.contentWindow?.postMessage({ type, value }, globalThis.location.origin);
    const receive = (event: MessageEvent): void => {
      const ours = event.origin === globalThis.location.origin && event.source === frame.current?.contentWindow;
      if (!ours || !isFrameMessage(event.data) || event.data.type !== FROM_APP.connected) return;
      send(FROM_DASHBOARD.connected, null);
      send(FROM_DASHBOARD.namespaceSelected, namespace ?? '');
    };
    globalThis.addEventListener('message', receive);
    send(FROM_DASHBOARD.namespaceSelected, namespace ?? '');
    return () => globalThis.removeEventListener('message', receive);
  }, [namespace]);
  return <iframe ref={frame} className="app-frame" src={path} title={`Application ${path}`} />;
}
