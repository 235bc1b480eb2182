/** Owns the way from the text of a Dex configuration file to a frozen Config, with every mistake of the file found in one go. */
import { AppError } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../errors.ts';
import { clientsSection } from './client-section.ts';
import type { IdentityConfig } from './config.ts';
import { readConnectors } from './connector-section.ts';
import { frontendSection } from './frontend-section.ts';
import { anyNode, object } from './object-shape.ts';
import { grpcSection, keepsConnectors } from './grpc-section.ts';
import { expirySection, oauth2Section, signerSection } from './oauth2-section.ts';
import { passwordsSection } from './password-section.ts';
import { createProblems, renderProblems } from './problems.ts';
import type { Problem, Problems } from './problems.ts';
import { boolean, findEntry, listOf, oneOf, refine, string } from './shape.ts';
import type { ReadContext, Shape } from './shape.ts';
import { sessionsSection } from './sessions-section.ts';
import { storageSection } from './storage-section.ts';
import { telemetrySection, webSection } from './web-section.ts';
import { parseYamlTree } from './yaml-tree.ts';

export interface ParsedConfig {
  /** Absent when there are problems. */
  readonly config: IdentityConfig | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

type Tree = Parameters<typeof documentSchema.read>[0];

const document = refine(
  object('The configuration file.', {
    issuer: string('The public name of the provider: a URL, whose path is where it is served.', { required: true }),
    storage: storageSection,
    web: webSection,
    telemetry: telemetrySection,
    grpc: grpcSection,
    oauth2: oauth2Section,
    sessions: sessionsSection,
    expiry: expirySection,
    signer: signerSection,
    logger: object('Log records, on standard error.', {
      level: oneOf('Least severity written.', { values: ['debug', 'info', 'warn', 'error'], fallback: 'info' }),
      format: oneOf('How records look.', { values: ['text', 'json'], fallback: 'text' }),
      excludeFields: listOf('Fields that are left out of every record.', string('A name, such as from or user.')),
    }),
    frontend: frontendSection,
    staticClients: clientsSection,
    enablePasswordDB: boolean('Offer login with e-mail address and password (connector id "local").'),
    staticPasswords: passwordsSection,
    mfa: anyNode('A second factor; not there, and refused where authenticators are named.'),
    connectors: anyNode('The list of ways to prove who one is.'),
  }),
  (value, complain) => {
    const issuerProblem = value.issuer === '' ? undefined : judgeIssuer(value.issuer);
    if (issuerProblem !== undefined)
      complain('issuer', issuerProblem, 'Write for example https://login.example.com/dex.');
    if (asksForMfa(value.mfa)) {
      const hint = 'Ask for the second factor at an upstream, or remove the section and know that one factor is left.';
      complain('mfa', 'is not supported', hint);
    }
    if (value.staticPasswords.length > 0 && !value.enablePasswordDB) {
      complain('staticPasswords', 'has no effect while enablePasswordDB is off', 'Set enablePasswordDB: true.');
    }
  },
);

// Dex's shape of "none" may stay in a file; whoever named an authenticator counts on it.
function asksForMfa(node: Tree): boolean {
  if (node === undefined || node.kind !== 'map') return node !== undefined;
  const authenticators = findEntry(node, 'authenticators')?.value;
  return authenticators?.kind === 'list' && authenticators.items.length > 0;
}

/** For the reference. */
export const documentSchema: Shape<unknown> = document;

/** Reads a file's text. `env` serves `$VAR`, idEnv, secretEnv and hashFromEnv. */
export async function parseConfig(text: string, env: Environment): Promise<ParsedConfig> {
  const problems = createProblems();
  const tree = parseYamlTree(text, problems);
  const config = tree === undefined ? undefined : await readTree(tree, { problems, env });
  const failed = problems.errors.length > 0;
  return { config: failed ? undefined : config, problems: problems.errors, warnings: problems.warnings };
}

/** As `parseConfig`, but throws one AppError that shows every problem. */
export async function requireConfig(text: string, env: Environment, file: string): Promise<IdentityConfig> {
  const { config, problems } = await parseConfig(text, env);
  if (config !== undefined) return config;
  const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
  throw new AppError(
    IDENTITY_ERRORS.configInvalid,
    `invalid configuration ${file} (${count}):\n\n${renderProblems(text, problems)}\n`,
    {
      hint: 'Correct the lines shown; "identity check FILE" reads the file without serving it.',
    },
  );
}

async function readTree(
  tree: Tree,
  { problems, env }: { problems: Problems; env: Environment },
): Promise<IdentityConfig> {
  const context: ReadContext = { path: '', problems, offset: tree?.offset ?? 0, env, expand: false };
  const { connectors: connectorsNode, mfa: _refused, ...value } = document.read(tree, context);
  const connectors = await readConnectors(connectorsNode, { ...context, path: 'connectors' });
  if (connectors.length === 0 && !value.enablePasswordDB && !keepsConnectors(env) && problems.errors.length === 0) {
    problems.add({
      offset: 0,
      path: '',
      message: 'offers no way to log in',
      hint: 'Add connectors, or enablePasswordDB: true, or DEX_API_CONNECTORS_CRUD=true where the API keeps them.',
    });
  }
  return Object.freeze({
    ...value,
    basePath: basePathOf(value.issuer),
    connectors,
    signer: { ...value.signer, keysRotationPeriodMs: value.signer.keysRotationPeriodMs || value.expiry.signingKeys },
  });
}

// OpenID Connect Core §2: an issuer has a scheme, a host, perhaps a port and a path, and neither query nor fragment.
function judgeIssuer(issuer: string): string | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'is not an http or https URL';
  if (url.search !== '' || url.hash !== '' || url.username !== '') return 'holds more than scheme, host, port and path';
  return undefined;
}

function basePathOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).pathname.replace(/\/+$/, '') : '';
}
