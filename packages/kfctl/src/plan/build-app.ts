/** Owns building of an app's applications: kustomize directories become objects, all mistakes named. */
import { existsSync } from 'node:fs';
import { describeError } from '@kfctl/core';
import type { UnknownObject } from '@kfctl/kube';
import { applicationDirectory } from '../app/app-directory.ts';
import type { App } from '../app/app-directory.ts';
import { inScope } from '../app/scope.ts';
import type { Scope } from '../app/scope.ts';
import { kfctlError } from '../errors.ts';
import type { BuiltApplication } from './plan.ts';

/** Objects that carry it exist for the build alone. */
const LOCAL_CONFIG = 'config.kubernetes.io/local-config';

/** Builds the applications in scope, in their order; throws `NOT_GENERATED` or `MANIFEST_INVALID`. */
export async function buildApp(app: App, scope: Scope): Promise<BuiltApplication[]> {
  const applications = app.kfdef.applications.filter((application) => inScope(application, scope));
  const missing = applications.filter(({ name }) => !existsSync(applicationDirectory(app, name)));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw kfctlError('NOT_GENERATED', `kustomize/ has no files of: ${names}`, { hint: 'Run: kfctl generate all' });
  }
  const built: BuiltApplication[] = [];
  for (const { name } of applications) {
    built.push({ name, objects: await buildDirectory(applicationDirectory(app, name), `application ${name}`) });
  }
  return built;
}

/** Builds one kustomize directory; `what` names it in the error. */
export async function buildDirectory(directory: string, what: string): Promise<readonly UnknownObject[]> {
  const { build } = await import('@kfctl/kustomize');
  try {
    const objects = (await build(directory)) as readonly UnknownObject[];
    return objects.filter((object) => object.metadata?.annotations?.[LOCAL_CONFIG] !== 'true');
  } catch (cause) {
    throw kfctlError('MANIFEST_INVALID', `cannot build ${what}: ${describeError(cause)}`, { cause });
  }
}
