/** Owns the service `api.Dex`: the one table of its methods by their gRPC paths. */
import type { ApiDeps, ApiMethod } from './api-method.ts';
import { clientMethods } from './client-methods.ts';
import { connectorMethods } from './connector-methods.ts';
import { identityMethods } from './identity-methods.ts';
import { infoMethods } from './info-methods.ts';
import { passwordMethods } from './password-methods.ts';
import { refreshMethods } from './refresh-methods.ts';
import { sessionMethods } from './session-methods.ts';

export function dexApi(deps: ApiDeps, version: string): ReadonlyMap<string, ApiMethod> {
  const methods = {
    ...clientMethods(deps),
    ...connectorMethods(deps),
    ...passwordMethods(deps),
    ...refreshMethods(deps),
    ...sessionMethods(deps),
    ...identityMethods(deps),
    ...infoMethods(deps, version),
  };
  return new Map(Object.entries(methods).map(([name, method]) => [`/api.Dex/${name}`, method]));
}
