/** Owns the calls to access management (KFAM) and the shapes of its answers. It decides nothing: KFAM does, by the caller's identity. */
import type { User } from '../identity/identify.ts';
import { refusal } from '../errors.ts';

// Taken this way because a named import of node:http also loads undici: 15 MB for nothing.
const { Agent, request: httpRequest } = process.getBuiltinModule('node:http');

export type Role = 'owner' | 'contributor' | 'viewer';

/** One user's role in one namespace. */
export interface Membership {
  readonly user: string;
  readonly namespace: string;
  readonly role: Role;
}

export interface BindingFilter {
  readonly user?: string;
  readonly namespace?: string;
}

export interface AccessClient {
  memberships(caller: User, filter: BindingFilter): Promise<readonly Membership[]>;
  isClusterAdmin(caller: User): Promise<boolean>;
  createProfile(caller: User, name: string): Promise<void>;
  addContributor(caller: User, namespace: string, contributor: string): Promise<void>;
  removeContributor(caller: User, namespace: string, contributor: string): Promise<void>;
  close(): void;
}

export interface AccessClientOptions {
  readonly host: string;
  readonly port: number;
  /** This process's own service account token, which proves to KFAM that the identity header comes from the dashboard. */
  readonly ownToken: () => Promise<string | undefined>;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly caller: User;
  readonly body?: unknown;
}

const MAX_ANSWER_BYTES = 16 * 1_048_576;
const TIMEOUT_MS = 10_000;
const ROLE_OF: Readonly<Record<string, Role>> = { admin: 'owner', edit: 'contributor', view: 'viewer' };

export function createAccessClient({ host, port, ownToken }: AccessClientOptions): AccessClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const call = async (request: Call): Promise<string> => send({ agent, host, port }, request, await ownToken());
  const binding = (namespace: string, contributor: string): unknown => ({
    user: { kind: 'User', name: contributor },
    referredNamespace: namespace,
    RoleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
  });
  return {
    memberships: async (caller, filter) => {
      const query = new URLSearchParams({ ...filter }).toString();
      return parseBindings(await call({ method: 'GET', path: `/kfam/v1/bindings?${query}`, caller }));
    },
    isClusterAdmin: async (caller) => {
      const path = `/kfam/v1/role/clusteradmin?user=${encodeURIComponent(caller.id)}`;
      return (await call({ method: 'GET', path, caller })).trim() === 'true';
    },
    createProfile: async (caller, name) => {
      const body = {
        apiVersion: 'kubeflow.org/v1',
        kind: 'Profile',
        metadata: { name },
        spec: { owner: { kind: 'User', name: caller.id } },
      };
      await call({ method: 'POST', path: '/kfam/v1/profiles', caller, body });
    },
    addContributor: async (caller, namespace, contributor) =>
      void (await call({ method: 'POST', path: '/kfam/v1/bindings', caller, body: binding(namespace, contributor) })),
    removeContributor: async (caller, namespace, contributor) =>
      void (await call({ method: 'DELETE', path: '/kfam/v1/bindings', caller, body: binding(namespace, contributor) })),
    close: () => agent.destroy(),
  };
}

interface Target {
  readonly agent: InstanceType<typeof Agent>;
  readonly host: string;
  readonly port: number;
}

function send(target: Target, call: Call, ownToken: string | undefined): Promise<string> {
  const payload = call.body === undefined ? '' : JSON.stringify(call.body);
  return new Promise((resolve, reject) => {
    const unreachable = (cause: unknown): void => reject(refusal(503, 'Unable to contact Profile Controller', cause));
    const headers = {
      ...call.caller.headers,
      ...(ownToken === undefined ? {} : { authorization: `Bearer ${ownToken}` }),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
    };
    const outgoing = httpRequest({ ...target, method: call.method, path: call.path, headers, timeout: TIMEOUT_MS });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    outgoing.on('error', unreachable);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER_BYTES) incoming.destroy(new Error('answer too large'));
      });
      incoming.on('error', unreachable);
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 500;
        if (status < 300) resolve(text);
        else
          reject(
            refusal(status, text.trim() === '' ? 'Access management refused the request.' : text.trim().slice(0, 500)),
          );
      });
    });
    outgoing.end(payload);
  });
}

function parseBindings(text: string): Membership[] {
  const answer = parseJson(text);
  const bindings = isRecord(answer) && Array.isArray(answer['bindings']) ? (answer['bindings'] as unknown[]) : [];
  return bindings.flatMap((binding) => {
    if (!isRecord(binding) || !isRecord(binding['user']) || !isRecord(binding['RoleRef'])) return [];
    const role = ROLE_OF[String(binding['RoleRef']['name'])];
    const user = binding['user']['name'];
    const namespace = binding['referredNamespace'];
    return role !== undefined && typeof user === 'string' && typeof namespace === 'string'
      ? [{ user, namespace, role }]
      : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw refusal(502, 'Access management gave an unreadable answer.', cause);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
