/** Owns the choice of a credential source from a kubeconfig's user; each source lives in its own file. */
import { resolve } from 'node:path';
import { AppError, Secret } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import { execCredentials } from './exec-credentials.ts';
import { fixedCredentials } from './kube-config.ts';
import type { CredentialSource, KubeTls } from './kube-config.ts';
import { textField, toFields } from './kubeconfig-file.ts';
import type { Fields, KubeconfigEntry } from './kubeconfig-file.ts';
import { oidcCredentials } from './oidc-credentials.ts';
import { fileToken } from './token-file.ts';

export interface UserContext {
  readonly server: string;
  readonly tls: KubeTls;
  readonly cluster: Fields;
  readonly env: Environment;
}

/** The source for a user entry, in kubectl's order: exec, auth-provider, tokenFile, token, basic; client certificates ride in TLS. */
export async function createUserCredentials(
  user: KubeconfigEntry | undefined,
  context: UserContext,
): Promise<CredentialSource> {
  if (user === undefined) return fixedCredentials();
  const { fields } = user;
  if (fields['exec'] !== undefined && fields['exec'] !== null) {
    return execCredentials({ spec: toFields(fields['exec']), directory: user.directory, ...context });
  }
  const provider = toFields(fields['auth-provider']);
  if (fields['auth-provider'] !== undefined && fields['auth-provider'] !== null) return authProvider(provider);
  const tokenFile = textField(fields, 'tokenFile');
  if (tokenFile !== undefined) return fileToken(resolve(user.directory, tokenFile));
  const token = textField(fields, 'token');
  if (token !== undefined) return fixedCredentials({ authorization: new Secret(`Bearer ${token}`) });
  const name = textField(fields, 'username');
  if (name === undefined) return fixedCredentials();
  const pair = Buffer.from(`${name}:${textField(fields, 'password') ?? ''}`, 'utf8').toString('base64');
  return fixedCredentials({ authorization: new Secret(`Basic ${pair}`) });
}

function authProvider(provider: Fields): CredentialSource {
  const name = textField(provider, 'name') ?? '';
  if (name === 'oidc') return oidcCredentials(toFields(provider['config']));
  throw new AppError('KUBECONFIG_INVALID', `the auth-provider "${name}" was removed from Kubernetes`, {
    hint: 'Use the exec credential plugin of your cloud (for example gke-gcloud-auth-plugin or kubelogin).',
  });
}
