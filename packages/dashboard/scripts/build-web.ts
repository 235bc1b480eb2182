/** Builds the pages when their sources changed since the last build; prints nothing when there is nothing to do. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const web = path.join(import.meta.dirname, '..', 'web');
const stamp = path.join(web, 'dist', '.built-from');

const sources = globSync(['src/**/*', 'public/**/*', 'index.html', 'vite.config.ts'], { cwd: web, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name))
  .toSorted();
const hash = createHash('sha256');
for (const file of sources) hash.update(path.relative(web, file)).update(readFileSync(file));
const digest = hash.digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  const { build } = await import('vite');
  await build({ configFile: path.join(web, 'vite.config.ts'), logLevel: 'warn' });
  // Framed applications load the library with a plain <script>, so it is one classic file of its own.
  await build({
    root: web,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir: 'dist',
      emptyOutDir: false,
      lib: {
        entry: path.join(web, 'src/frame/dashboard-lib.ts'),
        formats: ['iife'],
        name: 'dashboardLibrary',
        fileName: () => 'dashboard_lib.bundle.js',
      },
    },
  });
  writeFileSync(stamp, digest);
}
