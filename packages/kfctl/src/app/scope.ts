/** Owns the argument `all | k8s | platform`: which applications a command is about. */
import { kfctlError } from '../errors.ts';
import type { Application } from '../kfdef/kfdef.ts';

export type Scope = 'all' | 'k8s' | 'platform';

export const SCOPES: readonly Scope[] = ['all', 'k8s', 'platform'];

/** What the platform consists of: the way in, who a person is, and what these stand on. The rest runs on top of it. */
const PLATFORM_PACKAGES: readonly string[] = [
  'namespaces',
  'istio-crds',
  'metallb',
  'istio',
  'dex',
  'oidc-authservice',
];

/** Reads the argument; throws `ARGUMENT_INVALID` naming the known ones. */
export function parseScope(text: string | undefined): Scope {
  const scope = SCOPES.find((name) => name === (text ?? 'all'));
  if (scope !== undefined) return scope;
  throw kfctlError('ARGUMENT_INVALID', `unknown argument ${JSON.stringify(text)}`, {
    hint: `Use one of: ${SCOPES.join(', ')}.`,
  });
}

export function inScope(application: Pick<Application, 'path'>, scope: Scope): boolean {
  if (scope === 'all') return true;
  return PLATFORM_PACKAGES.includes(application.path) === (scope === 'platform');
}
