/** The composition root of the process `identity`: `identity serve CONFIG`, `identity check CONFIG`. */
import { createLogger, runProcess, systemClock, systemRandom } from '@kfctl/core';

const USAGE = 'Usage: identity serve CONFIG | identity check CONFIG';

const [command, file, ...rest] = process.argv.slice(2);
const log = createLogger({ format: process.stderr.isTTY ? 'text' : 'json' });

if (command === 'serve' && file !== undefined && rest.length === 0) await serve(file);
else if (command === 'check' && file !== undefined && rest.length === 0) await check(file);
else {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
}

async function serve(path: string): Promise<void> {
  await runProcess({
    log,
    start: async (signal) => {
      const { startIdentity } = await import('./serve/start-identity.ts');
      return await startIdentity({
        file: path,
        env: process.env,
        clock: systemClock,
        random: systemRandom,
        createLog: ({ logger }) => createLogger({ level: logger.level, format: logger.format }),
        signal,
      });
    },
  });
}

async function check(path: string): Promise<void> {
  const { checkFile } = await import('./check/check-file.ts');
  process.exitCode = await checkFile(path, { env: process.env, write: (text) => void process.stdout.write(text) });
}
