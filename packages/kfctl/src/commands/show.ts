/** Owns the commands `kfctl show` and `kfctl kustomize`: manifests as they would be applied, as YAML. */
import path from 'node:path';
import { dumpYaml } from '@kfctl/kube';
import type { UnknownObject } from '@kfctl/kube';
import { readApp } from '../app/app-directory.ts';
import { parseScope } from '../app/scope.ts';
import { buildApp, buildDirectory } from '../plan/build-app.ts';
import type { Invocation } from './invocation.ts';

/** Prints the objects of the app in scope. The Secrets that apply makes are not among them: they never leave memory. */
export async function runShow(invocation: Invocation, scopeText: string | undefined): Promise<void> {
  const app = await readApp(invocation.directory);
  const built = await buildApp(app, parseScope(scopeText));
  invocation.terminal.result(renderYaml(built.flatMap(({ objects }) => objects)));
}

export async function runKustomize(invocation: Invocation, directory: string): Promise<void> {
  const objects = await buildDirectory(path.resolve(invocation.directory, directory), directory);
  invocation.terminal.result(renderYaml(objects));
}

function renderYaml(objects: readonly UnknownObject[]): string {
  return objects
    .map((object) => dumpYaml(object))
    .join('---\n')
    .trimEnd();
}
