/** Owns the command `kfctl show`: manifests as they would be applied, as YAML. */
import { readApp } from '../app/app-directory.ts';
import { parseScope } from '../app/scope.ts';
import { buildApplication, requireGenerated } from '../plan/build-app.ts';
import type { Invocation } from './invocation.ts';

/** Prints the objects of the app in scope. The Secrets that apply makes are not among them: they never leave memory. */
export async function runShow({ terminal, directory }: Invocation, scopeText: string | undefined): Promise<void> {
  const app = await readApp(directory);
  const documents: string[] = [];
  for (const { name } of requireGenerated(app, parseScope(scopeText))) {
    const { yaml } = await buildApplication(app, name);
    documents.push(yaml());
  }
  // The terminal adds the last line feed again; others are part of the objects.
  terminal.result(documents.join('---\n').replace(/\n$/u, ''));
}
