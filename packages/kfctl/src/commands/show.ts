/** Owns the commands `kfctl show` and `kfctl kustomize`: manifests as they would be applied, as YAML. */
import path from 'node:path';
import { applicationDirectory, readApp } from '../app/app-directory.ts';
import { parseScope } from '../app/scope.ts';
import { buildDirectory, requireGenerated } from '../plan/build-app.ts';
import type { Invocation } from './invocation.ts';

/** Prints the objects of the app in scope. The Secrets that apply makes are not among them: they never leave memory. */
export async function runShow({ terminal, directory }: Invocation, scopeText: string | undefined): Promise<void> {
  const app = await readApp(directory);
  const documents: string[] = [];
  for (const { name } of requireGenerated(app, parseScope(scopeText))) {
    const { yaml } = await buildDirectory(applicationDirectory(app, name), { what: `application ${name}` });
    documents.push(yaml());
  }
  terminal.result(documents.join('---\n').trimEnd());
}

/** Prints what `kubectl kustomize` prints. */
export async function runKustomize({ terminal, directory }: Invocation, target: string): Promise<void> {
  const warn = (text: string): void => terminal.warn(text);
  const { yaml } = await buildDirectory(path.resolve(directory, target), { what: target, warn });
  terminal.result(yaml().trimEnd());
}
