/** Owns a running `profiles` process over an in-memory cluster, and requests to it. */
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { KubeObject, ResourceType } from '@kfctl/kube';
import { MemoryKubeClient } from '@kfctl/testkit';
import { readConfig } from '../src/config.ts';
import { profiles } from '../src/profile/profile.ts';
import type { Profile } from '../src/profile/profile.ts';
import { startProfiles } from '../src/start-profiles.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Running {
  readonly cluster: MemoryKubeClient;
  readonly url: string;
  readonly healthUrl: string;
  /** `as` undefined sends no identity. */
  ask(as: string | undefined, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Bindings as the caller sees them: `user role namespace`. */
  bindings(as: string, query?: string): Promise<string[]>;
  addProfile(name: string, owner: string, spec?: object): Promise<void>;
}

export async function runProfiles(context: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const cluster = new MemoryKubeClient();
  const abort = new AbortController();
  const config = readConfig({ PORT: '0', HEALTH_PORT: '0', CLUSTER_ADMINS: 'root@x.org', ...env });
  const running = await startProfiles({
    client: cluster,
    config,
    log: silentLogger,
    signal: abort.signal,
    host: '127.0.0.1',
  });
  context.after(async () => {
    abort.abort();
    await running.stop();
  });
  const url = `http://127.0.0.1:${running.port}`;
  const ask: Running['ask'] = async (as, method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { connection: 'close', ...(as === undefined ? {} : { 'kubeflow-userid': as }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
  return {
    cluster,
    url,
    healthUrl: `http://127.0.0.1:${running.healthPort}`,
    ask,
    bindings: async (as, query = '') => {
      const answer = await ask(as, 'GET', `/kfam/v1/bindings${query}`);
      const { bindings } = JSON.parse(answer.text) as {
        bindings: { user: { name: string }; referredNamespace: string; RoleRef: { name: string } }[];
      };
      return bindings
        .map(({ user, referredNamespace, RoleRef }) => `${user.name} ${RoleRef.name} ${referredNamespace}`)
        .toSorted();
    },
    addProfile: async (name, owner, spec = {}) => {
      await cluster.create(profiles, profileOf(name, owner, spec));
      await until(
        cluster,
        profiles,
        (profile) => profile.metadata.name === name && profile.status?.conditions?.[0]?.type !== undefined,
      );
    },
  };
}

export function profileOf(name: string, owner: string, spec: object = {}): Profile {
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: 'Profile',
    metadata: { name },
    spec: { owner: { kind: 'User', name: owner }, ...spec },
  };
}

export function bindingOf(user: string, namespace: string, role = 'edit'): unknown {
  return {
    user: { kind: 'User', name: user },
    referredNamespace: namespace,
    RoleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  };
}

/** Waits for an object of the type that fits, present or to come. */
export async function until<T extends KubeObject>(
  cluster: MemoryKubeClient,
  type: ResourceType<T>,
  fits: (object: T) => boolean,
): Promise<T> {
  const { items, resourceVersion } = await cluster.list(type);
  const present = items.find(fits);
  if (present !== undefined) return present;
  const signal = AbortSignal.timeout(5000);
  for await (const event of cluster.watch(type, { resourceVersion, signal })) {
    if (event.kind !== 'bookmark' && event.kind !== 'deleted' && fits(event.object)) return event.object;
  }
  throw new Error(`no such ${type.kind} came`);
}

/** Waits until the object is gone. */
export async function untilGone(
  cluster: MemoryKubeClient,
  type: ResourceType<KubeObject>,
  name: string,
  namespace?: string,
): Promise<void> {
  const { resourceVersion } = await cluster.list(type);
  const place = namespace === undefined ? {} : { namespace };
  if ((await cluster.get(type, name, place)) === undefined) return;
  const signal = AbortSignal.timeout(5000);
  for await (const event of cluster.watch(type, { resourceVersion, signal })) {
    if (event.kind === 'deleted' && event.object.metadata.name === name) return;
  }
  throw new Error(`${type.kind} ${name} stayed`);
}

export { profiles, resources };
