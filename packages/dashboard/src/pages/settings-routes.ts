/** Owns the menu links and settings that an administrator writes into the dashboard's ConfigMap. */
import { jsonResponse } from '@kfctl/http';
import type { HttpResponse, Route } from '@kfctl/http';
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { refusal } from '../errors.ts';
import { requireUser } from '../identity/identify.ts';
import type { IdentityRules } from '../identity/identify.ts';

export interface SettingsOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly identity: IdentityRules;
  readonly namespace: string;
  readonly configMap: string;
}

export function settingsRoutes(options: SettingsOptions): Route[] {
  const route = (path: string, key: string, failure: string): Route => ({
    method: 'GET',
    path,
    handler: requireUser(options.identity, () => readKey(options, key, failure)),
  });
  return [
    route('/api/dashboard-links', 'links', 'Cannot load dashboard menu link'),
    route('/api/dashboard-settings', 'settings', 'Cannot load dashboard settings'),
  ];
}

async function readKey(options: SettingsOptions, key: string, failure: string): Promise<HttpResponse> {
  try {
    const map: unknown = await options.client.get(resources.configMaps, options.configMap, {
      namespace: options.namespace,
    });
    const data: unknown = typeof map === 'object' && map !== null && 'data' in map ? map.data : undefined;
    const text: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, key) : undefined;
    if (typeof text !== 'string') throw new Error(`ConfigMap ${options.configMap} has no key ${key}`);
    return jsonResponse(200, JSON.parse(text), { 'cache-control': 'no-store' });
  } catch (cause) {
    throw refusal(500, failure, cause);
  }
}
