/** Owns the order of judgement of every request: path, authorisation, then the resource or the document that it asks for. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { internalError, StatusError } from '../registry/status-error.ts';
import type { UserInfo } from '../registry/request-context.ts';
import type { ApiAnswer, ApiHandler, ApiRequest } from './api-request.ts';
import { parseRequestInfo } from './request-info.ts';
import type { RequestInfo, ResourceRequestInfo } from './request-info.ts';
import { handleResource } from './resource-handler.ts';
import type { ResourceHandlerDeps } from './resource-handler.ts';

export interface Authorizer {
  /** The user that the request acts as: its own, or one that it may impersonate. */
  actingUser(request: Pick<ApiRequest, 'headers' | 'user'>): UserInfo;
  /** Throws 403 unless the user may. */
  requireAllowed(user: UserInfo, info: RequestInfo): void;
}

export interface ApiHandlerDeps extends ResourceHandlerDeps {
  readonly authorizer: Authorizer;
  /** Documents outside of resources: discovery, health, version, OpenAPI; undefined when there is none at this path. */
  readonly documents: (request: ApiRequest) => Promise<ApiAnswer | undefined> | ApiAnswer | undefined;
  readonly log: Logger;
}

/** One handler for all doors; failures become Status answers, unexpected ones say nothing of their cause. */
export function createApiHandler(deps: ApiHandlerDeps): ApiHandler {
  return async (request) => {
    try {
      return await answer(deps, request);
    } catch (error) {
      if (error instanceof StatusError) return { status: error.code, body: error.status };
      deps.log.error('request failed', { method: request.method, path: request.path, error: describeError(error) });
      const failure = internalError('the request could not be completed; the server log says why');
      return { status: failure.code, body: failure.status };
    }
  };
}

async function answer(deps: ApiHandlerDeps, received: ApiRequest): Promise<ApiAnswer> {
  const request = { ...received, user: deps.authorizer.actingUser(received) };
  const info = parseRequestInfo(request.method, request.path, request.query);
  if (info === undefined) throw new StatusError(400, 'BadRequest', { message: 'the path is not valid' });
  deps.authorizer.requireAllowed(request.user, info);
  if (info.kind === 'resource' && isServedGroup(deps, info)) return handleResource(deps, request, info);
  const document = await deps.documents(request);
  if (document !== undefined) return document;
  return { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, text: '404 page not found\n' };
}

function isServedGroup(deps: ApiHandlerDeps, info: ResourceRequestInfo): boolean {
  return deps.registry.resolve(info.group, info.version, info.plural) !== undefined;
}
