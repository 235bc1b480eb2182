/**
 * Owns the routes of access management (KFAM). Who may do what, in one table:
 *
 *   GET    /kfam/                        anybody                            a greeting
 *   GET    /kfam/v1/bindings             any user                           own bindings, those of own workspaces; admin: all
 *   POST   /kfam/v1/bindings             owner of the workspace, admin      role admin: admin only
 *   DELETE /kfam/v1/bindings             owner of the workspace, admin      role admin: admin only
 *   POST   /kfam/v1/profiles             oneself if registration is open    admin: for anybody
 *   DELETE /kfam/v1/profiles/:profile    owner of the profile, admin
 *   GET    /kfam/v1/role/clusteradmin    about oneself                      admin: about anybody
 */
import { delay } from '@kfctl/core';
import { jsonResponse, readJson, textResponse } from '@kfctl/http';
import type { Logger } from '@kfctl/core';
import type { HttpRequest, HttpResponse, Route } from '@kfctl/http';
import { isKubeError } from '@kfctl/kube';
import type { Informer, KubeClient, RoleBinding } from '@kfctl/kube';
import { refusal } from '../errors.ts';
import type { IstioNames } from '../istio/authorization-policy.ts';
import { profiles } from '../profile/profile.ts';
import type { Profile } from '../profile/profile.ts';
import { parseBinding, renderBinding } from './binding.ts';
import { createBinding, deleteBinding } from './change-binding.ts';
import { createProfile } from './create-profile.ts';
import { identifyCaller } from './identify-caller.ts';
import type { Caller, IdentityRules, VerifyToken } from './identify-caller.ts';
import { listBindings, untilSeen } from './list-bindings.ts';
import { requireProfileOwner, requireWorkspaceOwner } from './require-owner.ts';

const SYNC_WAIT_MS = 2_000;

export interface AccessRoutesOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly identity: IdentityRules;
  readonly verifyToken?: VerifyToken;
  readonly istio: IstioNames;
  readonly registrationFlow: boolean;
  readonly profilesPerUser: number;
  readonly reservedNamespaces: readonly string[];
  readonly profiles: Informer<Profile>;
  readonly roleBindings: Informer<RoleBinding>;
}

type Act = (request: HttpRequest, caller: Caller) => Promise<HttpResponse>;

export function accessRoutes(options: AccessRoutesOptions): Route[] {
  const route = (method: string, path: string, act: Act): Route => ({
    method,
    path,
    handler: async (request) => {
      const caller = await identifyCaller(request, options.identity, options.verifyToken);
      return translate(() => act(request, caller));
    },
  });
  return [
    { method: 'GET', path: '/kfam/', handler: () => textResponse(200, 'Hello World!') },
    route('GET', '/kfam/v1/bindings', (request, caller) => getBindings(options, request, caller)),
    route('POST', '/kfam/v1/bindings', (request, caller) => changeBinding(options, request, caller)),
    route('DELETE', '/kfam/v1/bindings', (request, caller) => changeBinding(options, request, caller)),
    route('POST', '/kfam/v1/profiles', (request, caller) => postProfile(options, request, caller)),
    route('DELETE', '/kfam/v1/profiles/:profile', (request, caller) => deleteProfile(options, request, caller)),
    route('GET', '/kfam/v1/role/clusteradmin', (request, caller) => clusterAdmin(options, request, caller)),
  ];
}

async function getBindings(options: AccessRoutesOptions, request: HttpRequest, caller: Caller): Promise<HttpResponse> {
  await requireSynced(options);
  const asked = (name: string): string | undefined => request.query.get(name) || undefined;
  const filter = { user: asked('user'), namespace: asked('namespace'), role: asked('role') };
  const bindings = listBindings({ profiles: options.profiles, roleBindings: options.roleBindings }, caller, filter);
  return answer({ bindings: bindings.map(renderBinding) });
}

async function changeBinding(
  options: AccessRoutesOptions,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const { client, istio, log } = options;
  const binding = parseBinding(await readJson(request));
  await requireWorkspaceOwner(options, caller, binding.namespace);
  if (binding.role === 'admin' && !caller.isClusterAdmin)
    throw refusal(403, 'only an administrator grants or removes the role admin');
  const create = request.method === 'POST';
  await (create ? createBinding(client, istio, binding) : deleteBinding(client, binding));
  log.info(create ? 'access granted' : 'access removed', { caller: caller.user, ...binding });
  await untilSeen(options, binding, create);
  return textResponse(200, '');
}

async function postProfile(options: AccessRoutesOptions, request: HttpRequest, caller: Caller): Promise<HttpResponse> {
  const rules = { ...options, known: options.profiles };
  await requireSynced(options);
  const profile = await createProfile(rules, caller, await readJson(request));
  options.log.info('profile created', { caller: caller.user, profile });
  return textResponse(200, '');
}

async function deleteProfile(
  options: AccessRoutesOptions,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const name = request.params['profile'] ?? '';
  const { uid } = (await requireProfileOwner(options, caller, name)).metadata;
  await options.client.delete(profiles, name, uid === undefined ? {} : { preconditions: { uid } });
  options.log.info('profile deleted', { caller: caller.user, profile: name });
  return textResponse(200, '');
}

async function clusterAdmin(options: AccessRoutesOptions, request: HttpRequest, caller: Caller): Promise<HttpResponse> {
  const user = request.query.get('user') ?? caller.user;
  if (user !== caller.user && !caller.isClusterAdmin) throw refusal(403, 'you may ask about yourself only');
  return answer(options.identity.clusterAdmins.has(user));
}

/** Right after a start nothing is known yet, and an empty list would be a wrong one. */
async function requireSynced({ profiles, roleBindings }: AccessRoutesOptions): Promise<void> {
  const patience = new AbortController();
  const synced = Promise.all([profiles.synced, roleBindings.synced]).then(() => true);
  const ready = await Promise.race([synced, delay(SYNC_WAIT_MS, patience.signal).then(() => false)]);
  patience.abort();
  if (!ready) throw refusal(503, 'not ready yet');
}

/** The API server's refusals in our own words: its messages name objects that the caller need not know. */
async function translate(act: () => Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await act();
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists', 'Conflict'))
      throw refusal(409, 'that exists already or has just changed', error);
    if (isKubeError(error, 'Invalid', 'BadRequest')) throw refusal(400, 'the cluster refuses this', error);
    // Also its 401 and 403: they are about us, and would tell the caller something untrue about itself.
    if (isKubeError(error)) throw refusal(503, 'the cluster cannot do this now', error);
    throw error;
  }
}

function answer(value: unknown): HttpResponse {
  return jsonResponse(200, value, { 'cache-control': 'no-store' });
}
