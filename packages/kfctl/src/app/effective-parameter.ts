/** Owns reading of a parameter as it is in force: from the generated params.env, which a person may have edited. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parameterFiles } from '../kfdef/catalog.ts';
import { applicationDirectory } from './app-directory.ts';
import type { App } from './app-directory.ts';

/** The value of the first application that has the parameter; undefined when none has. */
export function effectiveParameter(app: App, name: string): string | undefined {
  for (const application of app.kfdef.applications) {
    const directory = applicationDirectory(app, application.name);
    if (!existsSync(directory)) continue;
    for (const file of parameterFiles(directory)) {
      const lines = readFileSync(path.join(directory, file), 'utf8').split('\n');
      const line = lines.find((text) => text.startsWith(`${name}=`));
      if (line !== undefined) return line.slice(name.length + 1).trim();
    }
  }
  return undefined;
}
