/** Owns the command `kfctl init`. */
import { DEFAULT_PRESET } from '../kfdef/read-config.ts';
import { initApp, recordedEmail } from '../app/init-app.ts';
import type { Invocation } from './invocation.ts';

export async function runInit(
  invocation: Invocation,
  name: string,
  options: { readonly config?: string },
): Promise<void> {
  const { terminal, settings, directory } = invocation;
  const result = await initApp({
    name,
    config: options.config ?? DEFAULT_PRESET,
    parent: directory,
    email: settings.email,
  });
  if (result.replacedName !== undefined) {
    terminal.detail(`The deployment is called ${name}; the configuration called it ${result.replacedName}.`);
  }
  terminal.note(`Wrote ${name}/app.yaml with ${result.kfdef.applications.length} applications.`);
  const email = recordedEmail(result.kfdef);
  if (email === undefined) {
    terminal.note('No user is recorded: set KUBEFLOW_USER_EMAIL (and KUBEFLOW_PASSWORD) before kfctl generate.');
  } else {
    terminal.note(
      `The first user is ${email}. The password is taken from KUBEFLOW_PASSWORD at apply and never written to a file.`,
    );
  }
  for (const application of result.kfdef.applications) terminal.detail(`  ${application.name} (${application.path})`);
  terminal.note(`\nNext:\n  cd ${name}\n  kfctl generate all`);
}
