/** Owns the calls to the dashboard's API and the shapes of its answers. */

export type Role = 'owner' | 'contributor' | 'viewer';

export interface Membership {
  readonly namespace: string;
  readonly role: Role;
  readonly user: string;
}

export interface EnvInfo {
  readonly user: string;
  readonly platform: { readonly kubeflowVersion: string; readonly provider: string; readonly logoutUrl: string };
  readonly namespaces: readonly Membership[];
  readonly isClusterAdmin: boolean;
}

export interface WorkgroupState {
  readonly hasWorkgroup: boolean;
  readonly registrationFlowAllowed: boolean;
  readonly suggestedNamespace: string;
}

export interface ComponentHealth {
  readonly name: string;
  readonly namespace: string;
  readonly state: 'ready' | 'starting' | 'down';
  readonly readyReplicas: number;
  readonly replicas: number;
}

export interface MenuLink {
  readonly type?: string;
  readonly link?: string;
  readonly text: string;
  readonly items?: readonly MenuLink[];
  readonly iframe?: boolean;
}

export interface QuickLink {
  readonly text: string;
  readonly desc?: string;
  readonly link: string;
}

export interface DashboardLinks {
  readonly menuLinks?: readonly MenuLink[];
  readonly externalLinks?: readonly MenuLink[];
  readonly quickLinks?: readonly QuickLink[];
  readonly documentationItems?: readonly QuickLink[];
}

export interface KubeEvent {
  readonly metadata: { readonly uid?: string; readonly name: string; readonly creationTimestamp?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string };
}

/** An answer that is not success. 401 means that the session is over. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Asks for JSON; throws ApiError with what the answer says, in JSON or in plain text. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { accept: 'application/json' }, redirect: 'manual' };
  if (method !== 'GET') {
    init.headers = { accept: 'application/json', 'content-type': 'application/json' };
    init.body = JSON.stringify(body ?? {});
  }
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, 'The platform cannot be reached. Check your connection.');
  });
  if (response.type === 'opaqueredirect') throw new ApiError(401, 'Your session has ended.');
  const whole = await response.text().catch(() => '');
  const answer = parseJson(whole);
  if (response.ok) return answer as T;
  const isPlain = response.headers.get('content-type')?.startsWith('text/plain') === true;
  const said = isPlain ? whole.trim() : response.statusText;
  const text = typeof answer === 'object' && answer !== null && 'error' in answer ? String(answer.error) : said;
  throw new ApiError(response.status, text === '' ? `The server answered ${response.status}.` : text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const part = encodeURIComponent;

export const api = {
  envInfo: (): Promise<EnvInfo> => call('GET', '/api/workgroup/env-info'),
  exists: (): Promise<WorkgroupState> => call('GET', '/api/workgroup/exists'),
  createWorkspace: (namespace: string): Promise<unknown> => call('POST', '/api/workgroup/create', { namespace }),
  allNamespaces: (): Promise<readonly (readonly [string, string, string])[]> =>
    call('GET', '/api/workgroup/get-all-namespaces'),
  contributors: (namespace: string): Promise<readonly string[]> =>
    call('GET', `/api/workgroup/get-contributors/${part(namespace)}`),
  addContributor: (namespace: string, contributor: string): Promise<readonly string[]> =>
    call('POST', `/api/workgroup/add-contributor/${part(namespace)}`, { contributor }),
  removeContributor: (namespace: string, contributor: string): Promise<readonly string[]> =>
    call('DELETE', `/api/workgroup/remove-contributor/${part(namespace)}`, { contributor }),
  health: (): Promise<{ readonly components: readonly ComponentHealth[] }> => call('GET', '/api/platform/health'),
  links: (): Promise<DashboardLinks> => call('GET', '/api/dashboard-links'),
  activities: (namespace: string): Promise<readonly KubeEvent[]> => call('GET', `/api/activities/${part(namespace)}`),
};

/** Ends the session at the AuthService, then goes where it says; the page never keeps running logged out. */
export async function logOut(logoutUrl: string): Promise<void> {
  const response = await fetch(logoutUrl, {
    method: 'POST',
    headers: { accept: 'application/json' },
    redirect: 'manual',
  });
  const answer: unknown = await response.json().catch(() => undefined);
  const next =
    typeof answer === 'object' && answer !== null && 'afterLogoutURL' in answer ? String(answer.afterLogoutURL) : '/';
  const target = new URL(next === '' ? '/' : next, location.href);
  location.replace(target.protocol === 'https:' || target.origin === location.origin ? target.href : '/');
}
