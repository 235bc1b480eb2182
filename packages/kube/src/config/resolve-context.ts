/** Owns the step from merged kubeconfig files and a context's name to one cluster and one credential. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError, Secret } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import type { KubeConfig, KubeTls } from './kube-config.ts';
import { textField } from './kubeconfig-file.ts';
import type { Fields, Kubeconfig, KubeconfigEntry } from './kubeconfig-file.ts';
import { chooseProxy } from './proxy.ts';
import { createUserCredentials } from './user-credentials.ts';

export interface ResolveContextInput {
  readonly file: Kubeconfig;
  readonly env: Environment;
  readonly context?: string;
}

/** The configuration that a context names; every missing piece is named with the names that exist. */
export async function resolveContext({ file, env, context }: ResolveContextInput): Promise<KubeConfig> {
  const where = file.paths.join(', ');
  const name = context ?? file.currentContext;
  if (name === '') {
    throw new AppError('KUBECONFIG_INVALID', `${where} names no current-context`, {
      hint: `Choose one with --context or \`kubectl config use-context\`. Contexts: ${namesOf(file.contexts)}.`,
    });
  }
  const chosen = requireEntry(file.contexts, name, { what: 'context', where }).fields;
  const clusterName = textField(chosen, 'cluster') ?? '';
  const cluster = requireEntry(file.clusters, clusterName, { what: `cluster of context "${name}"`, where });
  const userName = textField(chosen, 'user');
  const user =
    userName === undefined
      ? undefined
      : requireEntry(file.users, userName, { what: `user of context "${name}"`, where });
  const server = requireServer(cluster.fields, clusterName, where);
  const tls = await readTls(cluster, user);
  const proxyUrl = chooseProxy(server, textField(cluster.fields, 'proxy-url'), env);
  return {
    server,
    tls,
    credentials: await createUserCredentials(user, { server, tls, cluster: cluster.fields, env }),
    namespace: textField(chosen, 'namespace') ?? 'default',
    headers: impersonation(user?.fields ?? {}),
    source: `context "${name}" of ${where}`,
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  };
}

/** A file's content from inline base64 or from a path relative to the kubeconfig; undefined when neither is given. */
export async function readData(entry: KubeconfigEntry | undefined, field: string): Promise<string | undefined> {
  if (entry === undefined) return undefined;
  const inline = textField(entry.fields, `${field}-data`);
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const path = textField(entry.fields, field);
  if (path === undefined) return undefined;
  return readFile(resolve(entry.directory, path), 'utf8').catch((cause: unknown) => {
    throw new AppError('KUBECONFIG_INVALID', `cannot read ${field} ${path}`, { cause });
  });
}

function requireEntry(
  entries: ReadonlyMap<string, KubeconfigEntry>,
  name: string,
  context: { readonly what: string; readonly where: string },
): KubeconfigEntry {
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  throw new AppError('KUBECONFIG_INVALID', `${context.where} has no ${context.what} named "${name}"`, {
    hint: `It has: ${namesOf(entries)}.`,
  });
}

function namesOf(entries: ReadonlyMap<string, KubeconfigEntry>): string {
  return [...entries.keys()].join(', ') || 'none';
}

function requireServer(cluster: Fields, name: string, where: string): string {
  const text = textField(cluster, 'server') ?? '';
  // kubectl takes a bare host as http; nobody means that today.
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (text === '' || url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new AppError('KUBECONFIG_INVALID', `cluster "${name}" of ${where} has no usable server address ("${text}")`);
  }
  return url.href.replace(/\/$/, '');
}

async function readTls(cluster: KubeconfigEntry, user: KubeconfigEntry | undefined): Promise<KubeTls> {
  const [ca, cert, key] = await Promise.all([
    readData(cluster, 'certificate-authority'),
    readData(user, 'client-certificate'),
    readData(user, 'client-key'),
  ]);
  const serverName = textField(cluster.fields, 'tls-server-name');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: new Secret(key) }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster.fields['insecure-skip-tls-verify'] === true ? { insecureSkipVerify: true } : {}),
  };
}

function impersonation(user: Fields): Record<string, string | readonly string[]> {
  const name = textField(user, 'as');
  const uid = textField(user, 'as-uid');
  const groups = Array.isArray(user['as-groups']) ? user['as-groups'].filter((group) => typeof group === 'string') : [];
  return {
    ...(name === undefined ? {} : { 'impersonate-user': name }),
    ...(uid === undefined ? {} : { 'impersonate-uid': uid }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': groups }),
  };
}
