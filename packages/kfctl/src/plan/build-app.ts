/** Owns building of an app's applications: kustomize directories become objects, all mistakes named. */
import { existsSync } from 'node:fs';
import type { UnknownObject } from '@kfctl/kube';
import { applicationDirectory, vendorDirectory } from '../app/app-directory.ts';
import type { App } from '../app/app-directory.ts';
import { inScope } from '../app/scope.ts';
import type { Scope } from '../app/scope.ts';
import { kfctlError } from '../errors.ts';
import type { Application } from '../kfdef/kfdef.ts';
import type { BuiltApplication } from './plan.ts';

/** The applications in scope, all of which have their files; throws `NOT_GENERATED`. */
export function requireGenerated(app: App, scope: Scope): readonly Application[] {
  const applications = app.kfdef.applications.filter((application) => inScope(application, scope));
  const missing = applications.filter(({ name }) => !existsSync(applicationDirectory(app, name)));
  if (missing.length === 0) return applications;
  const names = missing.map(({ name }) => name).join(', ');
  throw kfctlError('NOT_GENERATED', `kustomize/ has no files of: ${names}`, { hint: 'Run: kfctl generate all' });
}

/** Builds the applications in scope, in their order; throws `NOT_GENERATED` or `MANIFEST_INVALID`. */
export async function buildApp(app: App, scope: Scope): Promise<BuiltApplication[]> {
  const applications = requireGenerated(app, scope);
  const built: BuiltApplication[] = [];
  for (const { name } of applications) {
    const { objects } = await buildApplication(app, name);
    built.push({ name, objects });
  }
  return built;
}

export interface BuiltDirectory {
  readonly objects: readonly UnknownObject[];
  /** As kubectl kustomize prints it. */
  readonly yaml: () => string;
}

/** Builds one application, with the remote resources that `kfctl vendor` fetched. */
export async function buildApplication(app: App, name: string): Promise<BuiltDirectory> {
  const { build, KustomizeError, openVendorDirectory, renderYaml, toObjects } = await import('@kfctl/kustomize');
  try {
    const remotes = openVendorDirectory(vendorDirectory(app.directory));
    const { nodes } = build({ directory: applicationDirectory(app, name), remotes });
    const objects = toObjects(nodes) as unknown as readonly UnknownObject[];
    return { objects, yaml: () => renderYaml(nodes) };
  } catch (cause) {
    const hint = cause instanceof KustomizeError ? cause.hint : undefined;
    const more = { cause, ...(hint === undefined ? {} : { hint }) };
    throw kfctlError('MANIFEST_INVALID', `cannot build application ${name}`, more);
  }
}
