/** Owns the tokens of pods: asked of the API server, kept in memory, renewed well before they end. */
import { AppError, Secret } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import type { LocalPod } from '../pod/pod-spec.ts';

export interface TokenRequest {
  readonly audience?: string;
  readonly expirationSeconds?: number;
}

export interface TokenSource {
  /** The pod's token for an audience; a kept one while most of its life is left. */
  token(pod: LocalPod, request: TokenRequest): Promise<Secret>;
  forget(podUid: string): void;
}

interface Kept {
  readonly token: Secret;
  readonly renewAtMs: number;
}

const DEFAULT_SECONDS = 3607;
/** Like the kubelet: renewed after four fifths of its life. */
const USED_SHARE = 0.8;

export function createTokenSource(client: Pick<KubeClient, 'request'>, now: () => number): TokenSource {
  const kept = new Map<string, Map<string, Kept>>();
  return {
    async token(pod, request) {
      const uid = pod.metadata.uid ?? '';
      const own = kept.get(uid) ?? new Map<string, Kept>();
      kept.set(uid, own);
      const key = `${request.audience ?? ''} ${request.expirationSeconds ?? ''}`;
      const present = own.get(key);
      if (present !== undefined && now() < present.renewAtMs) return present.token;
      const fresh = await requestToken(client, pod, request);
      const lifetimeMs = (request.expirationSeconds ?? DEFAULT_SECONDS) * 1000;
      own.set(key, { token: fresh, renewAtMs: now() + lifetimeMs * USED_SHARE });
      return fresh;
    },
    forget: (podUid) => void kept.delete(podUid),
  };
}

async function requestToken(
  client: Pick<KubeClient, 'request'>,
  pod: LocalPod,
  request: TokenRequest,
): Promise<Secret> {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const account = pod.spec.serviceAccountName ?? 'default';
  const answer = await client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(account)}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        ...(request.audience ? { audiences: [request.audience] } : {}),
        expirationSeconds: request.expirationSeconds ?? DEFAULT_SECONDS,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
      },
    },
  });
  const token = tokenOf(answer.body);
  if (token === undefined)
    throw new AppError('MOUNT_FAILED', `failed to fetch token of service account "${account}": HTTP ${answer.status}`);
  return new Secret(token);
}

function tokenOf(body: unknown): string | undefined {
  const { status } = (body ?? {}) as { status?: { token?: unknown } };
  return typeof status?.token === 'string' && status.token !== '' ? status.token : undefined;
}
