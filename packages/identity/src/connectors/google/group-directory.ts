/** Owns the groups of people in Google Workspace, read by a service account for an administrator. */
import { readFileSync } from 'node:fs';
import { AppError } from '@kfctl/core';
import type { Clock } from '@kfctl/core';
import { signJwt } from '@kfctl/oidc';
import { IDENTITY_ERRORS } from '../../errors.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { upstreamFailed } from '../oauth2/upstream-http.ts';
import type { UpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, requireText, textOf } from '../oauth2/upstream-json.ts';
import type { GoogleConfig } from './google-config.ts';

const { createPrivateKey } = process.getBuiltinModule('node:crypto');

export interface GroupDirectory {
  /** Addresses of the groups of a person. */
  groupsOf(email: string): Promise<readonly string[]>;
}

interface DirectoryDeps {
  readonly http: UpstreamHttp;
  readonly clock: Clock;
  readonly base: string;
}

const SCOPE = 'https://www.googleapis.com/auth/admin.directory.group.readonly';
const MAX_GROUPS = 2000;

export function createGroupDirectory(config: GoogleConfig, { http, clock, base }: DirectoryDeps): GroupDirectory {
  return {
    groupsOf: async (email) => {
      const token = await serviceToken(http, clock, assertionOf(config, adminFor(config, email)));
      const api = createUpstreamApi(http, token);
      const found = new Set<string>();
      const open = [email];
      for (let member = open.shift(); member !== undefined; member = open.shift()) {
        const groups = await directGroups(api, base, member);
        const fresh = groups.filter((group) => !found.has(group));
        for (const group of fresh) found.add(group);
        if (config.fetchTransitiveGroupMembership) open.push(...fresh);
        if (found.size > MAX_GROUPS) throw upstreamFailed(base, `has more than ${MAX_GROUPS} groups of one person`);
      }
      return [...found];
    },
  };
}

async function directGroups(api: UpstreamApi, base: string, member: string): Promise<readonly string[]> {
  const url = `${base}/groups?${new URLSearchParams({ userKey: member }).toString()}`;
  const pages = await api.pages(url, ({ body }) => {
    const token = textOf(asObject(body), 'nextPageToken');
    return token === '' ? undefined : `${url}&${new URLSearchParams({ pageToken: token }).toString()}`;
  });
  return pages.flatMap((page) => asObjects(asObject(page)['groups']).map((group) => requireText(group, 'email')));
}

function adminFor({ adminEmail, domainToAdminEmail }: GoogleConfig, email: string): string {
  const domain = email.slice(email.lastIndexOf('@') + 1);
  const admin = domainToAdminEmail[domain] ?? domainToAdminEmail['*'] ?? adminEmail;
  if (admin !== '') return admin;
  throw new AppError(IDENTITY_ERRORS.connectorFailed, `google: no administrator for the domain ${domain}`, {
    hint: 'Add the domain, or "*", to domainToAdminEmail.',
  });
}

interface Assertion {
  readonly url: string;
  sign(nowSeconds: number): string;
}

function assertionOf({ serviceAccountFilePath }: GoogleConfig, admin: string): Assertion {
  const account = asObject(JSON.parse(readFileSync(serviceAccountFilePath, 'utf8')));
  const url = requireText(account, 'token_uri');
  const key = createPrivateKey(requireText(account, 'private_key'));
  const issuer = requireText(account, 'client_email');
  const claims = { iss: issuer, sub: admin, scope: SCOPE, aud: url };
  return {
    url,
    sign: (iat) =>
      signJwt({ ...claims, iat, exp: iat + 300 }, { kid: textOf(account, 'private_key_id'), alg: 'RS256', key }),
  };
}

/** RFC 7523 §2.1. */
async function serviceToken(http: UpstreamHttp, clock: Clock, { url, sign }: Assertion): Promise<string> {
  const assertion = sign(Math.floor(clock.now() / 1000));
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  const { status, body } = await http.send({ url, method: 'POST', form });
  if (status !== 200) throw upstreamFailed(url, `answered ${status} to the service account`);
  return requireText(asObject(body), 'access_token');
}
