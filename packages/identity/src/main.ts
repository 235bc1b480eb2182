/** The composition root of the process `identity`. */
import {
  AppError,
  createLogger,
  createStderrBatch,
  isAppError,
  runProcess,
  systemClock,
  systemRandom,
} from '@kfctl/core';
import { ADDRESS_OPTIONS, addressesFrom } from './config/listen-address.ts';
import { IDENTITY_ERRORS } from './errors.ts';
import { VERSION } from './version.ts';

// Not `import`: that reads every export of node:util, whose getters load worker threads, diffs and more.
const { parseArgs } = process.getBuiltinModule('node:util');

const USAGE = `Usage:
  identity serve CONFIG               serve what the file describes
      [--web-http-addr A] [--web-https-addr A] [--telemetry-addr A] [--grpc-addr A]   instead of the file's
  identity version                    print the version
  identity reference                  print what the file may hold, as Markdown
  identity check CONFIG [--user U]    read the file, try its connectors, say what is wrong
                                      (with U the password is read from IDENTITY_PASSWORD)
  identity check - [--user U --password-stdin]   the same with the file on standard input,
                                      after a first line that is the password
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { user: { type: 'string' }, 'password-stdin': { type: 'boolean' }, ...ADDRESS_OPTIONS },
});
const [command, file, ...rest] = positionals;
const user = typeof values.user === 'string' ? values.user : undefined;
const passwordFirst = values['password-stdin'] === true;
const known = Object.keys(values).every(
  (name) => ['user', 'password-stdin'].includes(name) || Object.hasOwn(ADDRESS_OPTIONS, name),
);
const wellFormed = file !== undefined && rest.length === 0 && known && (!passwordFirst || file === '-');
const env = { ...process.env, ...addressesFrom(values) };

if (wellFormed && command === 'serve' && user === undefined) await serve(file);
else if (wellFormed && command === 'check') await check(file);
else if (command === 'version' && positionals.length === 1) process.stdout.write(`identity ${VERSION}\n`);
else if (command === 'reference' && positionals.length === 1) await reference();
else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}

async function serve(path: string): Promise<void> {
  const write = createStderrBatch();
  await runProcess({
    log: createLogger({ format: process.stderr.isTTY ? 'text' : 'json', write }),
    start: async (signal) => {
      const { startIdentity } = await import('./serve/start-identity.ts');
      const starting = startIdentity({
        file: path,
        env,
        clock: systemClock,
        random: systemRandom,
        createLog: ({ logger }) => createLogger({ ...logger, write }),
        signal,
      });
      return await starting.catch(showMistakes);
    },
  });
}

// Lines with carets are for eyes; inside a JSON record nobody could read them.
function showMistakes(error: unknown): never {
  if (!isAppError(error) || error.code !== IDENTITY_ERRORS.configInvalid) throw error;
  process.stderr.write(error.message);
  const [summary = ''] = error.message.split(':\n');
  throw new AppError(error.code, summary, { hint: error.hint ?? 'Correct the file.' });
}

async function reference(): Promise<void> {
  const { renderReference } = await import('./config/render-reference.ts');
  process.stdout.write(await renderReference());
}

async function check(path: string): Promise<void> {
  const { checkFile } = await import('./check/check-file.ts');
  const input = path === '-' ? process.getBuiltinModule('node:fs').readFileSync(0, 'utf8') : undefined;
  const end = passwordFirst ? (input ?? '').indexOf('\n') + 1 : 0;
  const password = passwordFirst ? input?.slice(0, end).trimEnd() : process.env['IDENTITY_PASSWORD'];
  process.exitCode = await checkFile(input === undefined ? path : 'standard input', {
    env,
    person: { ...(user === undefined ? {} : { username: user }), ...(password === undefined ? {} : { password }) },
    ...(input === undefined ? {} : { text: input.slice(end) }),
    write: (text) => void process.stdout.write(text),
  });
}
