/** Owns exec credential plugins (client.authentication.k8s.io/v1 and v1beta1): run, read, keep until they expire. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { AppError, Secret } from '@kfctl/core';
import type { CredentialSource, KubeCredential } from './kube-config.ts';
import { textField, toFields } from './kubeconfig-file.ts';
import type { Fields } from './kubeconfig-file.ts';
import type { UserContext } from './user-credentials.ts';

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const PLUGIN_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** A credential that is about to expire is not handed out: it would expire on its way. */
const EARLY_MS = 10_000;

export interface ExecInput extends UserContext {
  readonly spec: Fields;
  readonly directory: string;
}

interface Cached {
  readonly credential: KubeCredential;
  readonly expiresAt: number;
}

/** A source that runs the plugin when there is no unexpired credential; calls at the same time share one run. */
export function execCredentials(input: ExecInput): CredentialSource {
  const apiVersion = textField(input.spec, 'apiVersion') ?? '';
  if (!VERSIONS.includes(apiVersion)) {
    throw new AppError('KUBECONFIG_INVALID', `exec plugins of version "${apiVersion}" are not supported`, {
      hint: `Update the plugin and set its apiVersion to ${VERSIONS[0]}.`,
    });
  }
  let cached: Cached | undefined;
  let running: Promise<Cached> | undefined;
  const renew = (): Promise<Cached> => {
    running ??= runPlugin(input, apiVersion).finally(() => (running = undefined));
    return running;
  };
  return {
    current: async () => {
      if (cached === undefined || cached.expiresAt - EARLY_MS <= Date.now()) cached = await renew();
      return cached.credential;
    },
    invalidate: () => {
      cached = undefined;
      return true;
    },
  };
}

async function runPlugin(input: ExecInput, apiVersion: string): Promise<Cached> {
  const { spec } = input;
  const command = textField(spec, 'command') ?? '';
  // A bare name is looked up in PATH; a path is relative to the kubeconfig, not to where we were started.
  const file = command.includes('/') ? resolve(input.directory, command) : command;
  const args = Array.isArray(spec['args']) ? spec['args'].map(String) : [];
  const output = await new Promise<string>((done, fail) => {
    const options = { env: pluginEnv(input, apiVersion), timeout: PLUGIN_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) return done(stdout);
      const missing = error.code === 'ENOENT';
      const hint = missing
        ? (textField(spec, 'installHint') ?? `Install ${command} and put it on PATH.`)
        : stderr.trim().slice(0, 500) || undefined;
      // The error itself would carry the whole command line.
      fail(
        new AppError(
          'KUBE_EXEC_PLUGIN',
          `the credential plugin ${command} ${missing ? 'is not installed' : 'failed'}`,
          hint === undefined ? {} : { hint },
        ),
      );
    });
    child.stdin?.end();
  });
  return parseCredential(output, { command, apiVersion });
}

function pluginEnv(input: ExecInput, apiVersion: string): NodeJS.ProcessEnv {
  const { spec, server, tls, cluster, env } = input;
  const info = {
    apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(spec['provideClusterInfo'] === true
        ? {
            cluster: {
              server,
              ...(tls.ca === undefined
                ? {}
                : { 'certificate-authority-data': Buffer.from(tls.ca, 'utf8').toString('base64') }),
              ...(tls.serverName === undefined ? {} : { 'tls-server-name': tls.serverName }),
              ...(tls.insecureSkipVerify === true ? { 'insecure-skip-tls-verify': true } : {}),
              ...(textField(cluster, 'proxy-url') === undefined ? {} : { 'proxy-url': cluster['proxy-url'] }),
              config: pluginExtension(cluster),
            },
          }
        : {}),
    },
  };
  const added = Array.isArray(spec['env']) ? spec['env'].map(toFields) : [];
  return {
    ...env,
    ...Object.fromEntries(added.map((pair) => [textField(pair, 'name') ?? '', textField(pair, 'value') ?? ''])),
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  };
}

function pluginExtension(cluster: Fields): unknown {
  const extensions = Array.isArray(cluster['extensions']) ? cluster['extensions'].map(toFields) : [];
  return extensions.find((extension) => extension['name'] === 'client.authentication.k8s.io/exec')?.['extension'];
}

function parseCredential(output: string, plugin: { readonly command: string; readonly apiVersion: string }): Cached {
  const answer = parseJson(output);
  const status = toFields(answer['status']);
  const token = textField(status, 'token');
  const cert = textField(status, 'clientCertificateData');
  const key = textField(status, 'clientKeyData');
  const versionFits = answer['apiVersion'] === plugin.apiVersion && answer['kind'] === 'ExecCredential';
  if (!versionFits || (token === undefined && (cert === undefined || key === undefined))) {
    throw new AppError(
      'KUBE_EXEC_PLUGIN',
      `the credential plugin ${plugin.command} gave no ${plugin.apiVersion} credential`,
    );
  }
  const expiry = Date.parse(textField(status, 'expirationTimestamp') ?? '');
  return {
    credential: {
      ...(token === undefined ? {} : { authorization: new Secret(`Bearer ${token}`) }),
      ...(cert === undefined || key === undefined ? {} : { certificate: { cert, key: new Secret(key) } }),
    },
    expiresAt: Number.isNaN(expiry) ? Infinity : expiry,
  };
}

function parseJson(text: string): Fields {
  try {
    return toFields(JSON.parse(text));
  } catch {
    return {};
  }
}
