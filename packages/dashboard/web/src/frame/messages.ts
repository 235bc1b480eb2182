/** Owns the messages between the dashboard and the applications it frames. Both sides speak to their own origin only. */

export const FROM_APP = { connected: 'iframe-connected' } as const;

export const FROM_DASHBOARD = {
  connected: 'parent-connected',
  namespaceSelected: 'namespace-selected',
  allNamespaces: 'all-namespaces',
} as const;

export interface FrameMessage {
  readonly type: string;
  readonly value?: unknown;
}

export function isFrameMessage(data: unknown): data is FrameMessage {
  return typeof data === 'object' && data !== null && 'type' in data && typeof data.type === 'string';
}
