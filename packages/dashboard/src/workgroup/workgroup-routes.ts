/** Owns /api/workgroup: who the caller is, their namespaces, making a workspace, and its contributors. */
import { jsonResponse, readJson } from '@kfctl/http';
import type { HttpRequest, HttpResponse, Route } from '@kfctl/http';
import type { AccessClient } from '../access/access-client.ts';
import { ownMemberships, requireMembership } from '../access/require-membership.ts';
import { refusal } from '../errors.ts';
import { requireUser } from '../identity/identify.ts';
import type { IdentityRules, User, UserHandler } from '../identity/identify.ts';
import type { PlatformInfo } from '../platform/platform-info.ts';
import { requireEmail, requireNamespaceName, suggestNamespace } from './names.ts';

export interface WorkgroupOptions {
  readonly access: AccessClient;
  readonly identity: IdentityRules;
  readonly registrationFlow: boolean;
  readonly platformInfo: () => Promise<PlatformInfo>;
}

export function workgroupRoutes(options: WorkgroupOptions): Route[] {
  const route = (method: string, path: string, handler: UserHandler): Route => ({
    method,
    path: `/api/workgroup${path}`,
    handler: requireUser(options.identity, handler),
  });
  return [
    route('GET', '/exists', (_request, user) => exists(options, user)),
    route('GET', '/env-info', (_request, user) => envInfo(options, user)),
    route('POST', '/create', (request, user) => create(options, request, user)),
    route('GET', '/get-all-namespaces', (_request, user) => allNamespaces(options, user)),
    route('GET', '/get-contributors/:namespace', (request, user) => contributors(options, request, user)),
    route('POST', '/add-contributor/:namespace', (request, user) => changeContributor(options, request, user)),
    route('DELETE', '/remove-contributor/:namespace', (request, user) => changeContributor(options, request, user)),
  ];
}

async function exists(options: WorkgroupOptions, user: User): Promise<HttpResponse> {
  const memberships = await ownMemberships(options.access, user);
  return answer({
    hasAuth: true,
    user: user.id.split('@')[0],
    hasWorkgroup: memberships.some(({ role }) => role === 'owner'),
    registrationFlowAllowed: options.registrationFlow,
    suggestedNamespace: suggestNamespace(user.id),
  });
}

async function envInfo(options: WorkgroupOptions, user: User): Promise<HttpResponse> {
  const [namespaces, isClusterAdmin, platform] = await Promise.all([
    ownMemberships(options.access, user),
    options.access.isClusterAdmin(user),
    options.platformInfo(),
  ]);
  return answer({ user: user.id, platform, namespaces, isClusterAdmin });
}

/** Makes a workspace for the caller and nobody else: an owner named in the body is refused, not ignored. */
async function create(options: WorkgroupOptions, request: HttpRequest, user: User): Promise<HttpResponse> {
  if (!options.registrationFlow) throw refusal(403, 'Making workspaces is switched off. Ask an administrator for one.');
  const body = await readRecord(request);
  if (body['user'] !== undefined && body['user'] !== user.id)
    throw refusal(403, 'A workspace can be made for yourself only.');
  const namespace = requireNamespaceName(body['namespace'] ?? suggestNamespace(user.id));
  await options.access.createProfile(user, namespace);
  return answer({ message: `Created namespace ${namespace}` });
}

async function allNamespaces(options: WorkgroupOptions, user: User): Promise<HttpResponse> {
  if (!(await options.access.isClusterAdmin(user))) throw refusal(403, 'Only a cluster admin sees all namespaces.');
  const rows = new Map<string, { owner: string; others: string[] }>();
  for (const membership of await options.access.memberships(user, {})) {
    const row = rows.get(membership.namespace) ?? { owner: '', others: [] };
    if (membership.role === 'owner') row.owner = membership.user;
    else row.others.push(membership.user);
    rows.set(membership.namespace, row);
  }
  return answer([...rows].map(([namespace, { owner, others }]) => [namespace, owner, others.join(', ')]));
}

async function contributors(options: WorkgroupOptions, request: HttpRequest, user: User): Promise<HttpResponse> {
  const namespace = requireNamespaceName(request.params['namespace']);
  await requireMembership(options.access, user, { namespace, roles: ['owner'] });
  return answer(await contributorsOf(options.access, user, namespace));
}

async function changeContributor(options: WorkgroupOptions, request: HttpRequest, user: User): Promise<HttpResponse> {
  const namespace = requireNamespaceName(request.params['namespace']);
  await requireMembership(options.access, user, { namespace, roles: ['owner'] });
  const contributor = requireEmail((await readRecord(request))['contributor']);
  const change = request.method === 'POST' ? options.access.addContributor : options.access.removeContributor;
  await change(user, namespace, contributor);
  return answer(await contributorsOf(options.access, user, namespace));
}

async function contributorsOf(access: AccessClient, caller: User, namespace: string): Promise<string[]> {
  const memberships = await access.memberships(caller, { namespace });
  return memberships.filter((one) => one.namespace === namespace && one.role === 'contributor').map(({ user }) => user);
}

async function readRecord(request: HttpRequest): Promise<Record<string, unknown>> {
  const body = await readJson(request);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refusal(400, 'The body is not a JSON object.');
  return body as Record<string, unknown>;
}

function answer(value: unknown): HttpResponse {
  return jsonResponse(200, value, { 'cache-control': 'no-store' });
}
