/** Owns the command `kfctl generate`. */
import { readApp, saveApp } from '../app/app-directory.ts';
import type { App } from '../app/app-directory.ts';
import { generateApp } from '../app/generate-app.ts';
import { recordedEmail, setUser } from '../app/init-app.ts';
import { parseScope } from '../app/scope.ts';
import type { Invocation } from './invocation.ts';

export async function runGenerate(invocation: Invocation, scopeText: string | undefined): Promise<void> {
  const { terminal, directory } = invocation;
  const scope = parseScope(scopeText);
  const app = await recordUser(invocation, await readApp(directory));
  const result = await generateApp(app, scope);
  for (const file of result.written) terminal.detail(`  wrote ${file}`);
  for (const file of result.removed) terminal.detail(`  removed ${file}`);
  for (const file of result.kept) terminal.warn(`kept your changes in ${file}`);
  const count = result.applications.length;
  const changes = result.written.length + result.removed.length;
  terminal.note(
    changes === 0
      ? `kustomize/ is up to date: ${count} applications.`
      : `Generated kustomize/ for ${count} applications: ${changes} files changed.`,
  );
  terminal.note('\nNext:\n  kfctl apply all');
}

/** Takes KUBEFLOW_USER_EMAIL into app.yaml when it says something new. */
export async function recordUser({ settings, terminal }: Invocation, app: App): Promise<App> {
  const { email } = settings;
  const recorded = recordedEmail(app.kfdef);
  if (email === undefined || email === recorded) return app;
  setUser(app.document, app.kfdef, email);
  if (recorded !== undefined)
    terminal.warn(`the first user changes from ${recorded} to ${email} (KUBEFLOW_USER_EMAIL)`);
  return saveApp(app);
}
