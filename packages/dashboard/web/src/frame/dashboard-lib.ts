/**
 * The library that framed applications load from /dashboard_lib.bundle.js: tells them which namespace is chosen. Its global is
 * `centraldashboard.CentralDashboardEventHandler`, as existing applications expect. Messages of other origins are ignored.
 */
import { FROM_APP, FROM_DASHBOARD, isFrameMessage } from './messages.ts';

type Callback<T> = ((value: T) => void) | null;

class CentralDashboardEventHandler {
  #onParentConnected: Callback<unknown> = null;
  #onNamespaceSelected: Callback<string> = null;
  #onAllNamespacesSelected: Callback<readonly string[]> = null;
  readonly #listener = (event: MessageEvent): void => this.#receive(event);
  readonly #parent: Window = globalThis.opener ?? globalThis.parent;

  set onParentConnected(callback: Callback<unknown>) {
    this.#onParentConnected = callback;
  }

  set onNamespaceSelected(callback: Callback<string>) {
    this.#onNamespaceSelected = callback;
  }

  set onAllNamespacesSelected(callback: Callback<readonly string[]>) {
    this.#onAllNamespacesSelected = callback;
  }

  /** Connects to the dashboard; `ready` gets this handler and whether the page is framed (or opened by a framed page). */
  init(ready: (handler: CentralDashboardEventHandler, isFramed: boolean) => void, disableForceIframe = false): void {
    const framed = globalThis.location !== globalThis.parent.location || globalThis.opener !== null;
    ready(this, framed);
    if (framed) {
      globalThis.addEventListener('message', this.#listener);
      this.#parent.postMessage({ type: FROM_APP.connected }, globalThis.location.origin);
    } else if (!disableForceIframe) {
      void this.#forceFrame();
    }
  }

  detach(): void {
    globalThis.removeEventListener('message', this.#listener);
  }

  async #forceFrame(): Promise<void> {
    const response = await fetch('/api/dashboard-settings', { headers: { accept: 'application/json' } });
    const settings: unknown = response.ok ? await response.json() : {};
    const force =
      typeof settings === 'object' && settings !== null && Reflect.get(settings, 'DASHBOARD_FORCE_IFRAME') === true;
    const { origin, pathname, search, hash } = globalThis.location;
    if (force) globalThis.location.replace(`${origin}/_${pathname}${search}${hash}`);
  }

  #receive(event: MessageEvent): void {
    if (event.origin !== globalThis.location.origin || !isFrameMessage(event.data)) return;
    const { type, value } = event.data;
    if (type === FROM_DASHBOARD.connected) this.#onParentConnected?.(event.data);
    if (type === FROM_DASHBOARD.namespaceSelected) this.#onNamespaceSelected?.(String(value));
    if (type === FROM_DASHBOARD.allNamespaces && Array.isArray(value))
      this.#onAllNamespacesSelected?.(value.map(String));
  }
}

Reflect.set(globalThis, 'centraldashboard', { CentralDashboardEventHandler: new CentralDashboardEventHandler() });
