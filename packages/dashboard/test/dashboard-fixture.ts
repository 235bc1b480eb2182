/** Starts the dashboard beside a real access management stub server and a few Kubernetes objects. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Secret, silentLogger } from '@kfctl/core';
import { createHttpServer, htmlResponse } from '@kfctl/http';
import type { HttpHandler } from '@kfctl/http';
import type { KubeClient, KubeObject } from '@kfctl/kube';
import { ASSERTION_HEADER, createAssertions } from '@kfctl/oidc';
import { createAccessClient } from '../src/access/access-client.ts';
import { readConfig } from '../src/config.ts';
import { createDashboard } from '../src/create-dashboard.ts';
import { renderError } from '../src/errors.ts';

export interface Binding {
  user: string;
  namespace: string;
  role: 'admin' | 'edit' | 'view';
}

/** What access management knows, and the calls that reached it. */
export interface Kfam {
  readonly bindings: Binding[];
  readonly admins: Set<string>;
  readonly calls: {
    method: string;
    path: string;
    user: string | undefined;
    authorization: string | undefined;
    body: unknown;
  }[];
  /** Answer every call with this instead. */
  failure?: { status: number; text: string };
}

export interface Fixture {
  readonly base: string;
  readonly kfam: Kfam;
  /** As the gateway sends it: with the identity and the assertion of it, unless `assertion` says otherwise. */
  request(path: string, init?: RequestInit & { user?: string; assertion?: string }): Promise<Response>;
}

export interface FixtureOptions {
  readonly env?: Record<string, string>;
  readonly bindings?: Binding[];
  readonly pages?: HttpHandler;
}

const KEY = 'k'.repeat(43);

/** What the AuthService would say about a request. */
export function assertionOf(user: string, method: string, path: string, groups = ''): string {
  return createAssertions([new Secret(KEY)]).assert({ method, path, userId: user, groups }, Date.now());
}

const OBJECTS: Readonly<Record<string, readonly object[]>> = {
  deployments: [
    { metadata: { name: 'dex', namespace: 'kubeflow' }, spec: { replicas: 1 }, status: { readyReplicas: 1 } },
    {
      metadata: { name: 'centraldashboard', namespace: 'kubeflow' },
      spec: { replicas: 2 },
      status: { readyReplicas: 1 },
    },
    { metadata: { name: 'istio-ingressgateway', namespace: 'istio-system' }, spec: { replicas: 1 }, status: {} },
  ],
  nodes: [{ metadata: { name: 'n1' }, spec: { providerID: 'onprem://n1' } }],
  events: [
    {
      metadata: { name: 'e1', namespace: 'ann', uid: 'u1' },
      reason: 'Started',
      message: 'Started container',
      type: 'Normal',
      lastTimestamp: new Date().toISOString(),
      involvedObject: { kind: 'Pod', name: 'notebook-0' },
    },
  ],
  configmaps: [
    {
      metadata: { name: 'centraldashboard-config', namespace: 'kubeflow' },
      data: { links: '{"menuLinks":[{"type":"item","link":"/jupyter/","text":"Notebooks"}]}', settings: 'not json' },
    },
  ],
  namespaces: ['ann', 'ben'].map((name) => ({ metadata: { name, annotations: { owner: `${name}@x.org` } } })),
};

const client = {
  get: async (type: { plural: string }, name: string) =>
    OBJECTS[type.plural]?.find((object) => (object as KubeObject).metadata.name === name),
  list: async (type: { plural: string }, options?: { namespace?: string }) => ({
    resourceVersion: '1',
    items: (OBJECTS[type.plural] ?? []).filter(
      (object) => options?.namespace === undefined || (object as KubeObject).metadata.namespace === options.namespace,
    ),
  }),
} as unknown as Pick<KubeClient, 'get' | 'list'>;

export async function startFixture(t: TestContext, options: FixtureOptions = {}): Promise<Fixture> {
  const kfam: Kfam = { bindings: options.bindings ?? [], admins: new Set(['root@x.org']), calls: [] };
  const kfamServer = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { status, body } = answerKfam(kfam, request, text);
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => kfamServer.listen(0, '127.0.0.1', resolve));
  const kfamPort = (kfamServer.address() as AddressInfo).port;
  const config = readConfig({
    PROFILES_KFAM_SERVICE_HOST: '127.0.0.1',
    PROFILES_KFAM_SERVICE_PORT: String(kfamPort),
    IDENTITY_ASSERTION_KEY: KEY,
    ...options.env,
  });
  const access = createAccessClient({ ...config.accessManagement, ownToken: async () => 'own-token' });
  const handler = createDashboard({
    config,
    client,
    access,
    pages: options.pages ?? (() => htmlResponse(200, '<title>page</title>')),
    clock: { now: () => Date.now() },
    version: '0.1.0',
  });
  const server = createHttpServer({ handler, log: silentLogger, renderError, maxBodyBytes: 65_536 });
  const base = `http://127.0.0.1:${await server.listen(0, '127.0.0.1')}`;
  t.after(async () => {
    access.close();
    kfamServer.closeAllConnections();
    kfamServer.close();
    await server.close();
  });
  return {
    base,
    kfam,
    request: (path, { user, assertion, ...init } = {}) =>
      fetch(base + path, {
        ...init,
        headers: {
          ...(user === undefined
            ? {}
            : {
                'kubeflow-userid': user,
                [ASSERTION_HEADER]: assertion ?? assertionOf(user, init.method ?? 'GET', path.split('?')[0] ?? ''),
              }),
          ...(init.body === undefined || init.body === null ? {} : { 'content-type': 'application/json' }),
          ...(init.headers as Record<string, string> | undefined),
        },
      }),
  };
}

interface KfamBody {
  metadata?: { name: string };
  spec?: { owner: { name: string } };
  user?: { name: string };
  referredNamespace?: string;
}

function answerKfam(kfam: Kfam, request: IncomingMessage, text: string): { status: number; body: string } {
  const { method = '', url = '' } = request;
  const { authorization, 'kubeflow-userid': user } = request.headers;
  const body = text === '' ? undefined : (JSON.parse(text) as KfamBody);
  const { pathname, searchParams } = new URL(url, 'http://kfam');
  kfam.calls.push({ method, path: url, user: typeof user === 'string' ? user : undefined, authorization, body });
  if (kfam.failure !== undefined) return { status: kfam.failure.status, body: kfam.failure.text };
  if (pathname === '/kfam/v1/role/clusteradmin')
    return { status: 200, body: String(kfam.admins.has(searchParams.get('user') ?? '')) };
  if (pathname === '/kfam/v1/profiles' && method === 'POST') {
    kfam.bindings.push({ user: body?.spec?.owner.name ?? '', namespace: body?.metadata?.name ?? '', role: 'admin' });
    return { status: 200, body: '' };
  }
  if (pathname !== '/kfam/v1/bindings') return { status: 404, body: 'no such route' };
  const target = { user: body?.user?.name ?? '', namespace: body?.referredNamespace ?? '', role: 'edit' as const };
  if (method === 'POST') kfam.bindings.push(target);
  if (method === 'DELETE') {
    const index = kfam.bindings.findIndex(
      (one) => one.user === target.user && one.namespace === target.namespace && one.role === 'edit',
    );
    if (index >= 0) kfam.bindings.splice(index, 1);
  }
  if (method !== 'GET') return { status: 200, body: '' };
  const wanted = kfam.bindings.filter(
    (one) =>
      (searchParams.get('user') ?? one.user) === one.user &&
      (searchParams.get('namespace') ?? one.namespace) === one.namespace,
  );
  const bindings = wanted.map((one) => ({
    user: { kind: 'User', name: one.user },
    referredNamespace: one.namespace,
    RoleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: one.role },
  }));
  return { status: 200, body: JSON.stringify({ bindings }) };
}
