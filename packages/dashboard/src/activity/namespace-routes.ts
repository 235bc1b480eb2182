/** Owns what the dashboard reads of Kubernetes for one namespace: the namespaces themselves and their recent events. */
import { jsonResponse } from '@kfctl/http';
import type { Route } from '@kfctl/http';
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import type { AccessClient } from '../access/access-client.ts';
import { ownMemberships, requireMembership } from '../access/require-membership.ts';
import { refusal } from '../errors.ts';
import { requireUser } from '../identity/identify.ts';
import type { IdentityRules } from '../identity/identify.ts';

export interface NamespaceOptions {
  readonly client: Pick<KubeClient, 'list' | 'get'>;
  readonly access: AccessClient;
  readonly identity: IdentityRules;
}

const NO_STORE = { 'cache-control': 'no-store' };

export function namespaceRoutes({ client, access, identity }: NamespaceOptions): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/namespaces',
      handler: requireUser(identity, async (_request, user) => {
        const mine = await ownMemberships(access, user);
        const objects = await Promise.all(mine.map(({ namespace }) => client.get(resources.namespaces, namespace)));
        return jsonResponse(
          200,
          objects.filter((object) => object !== undefined),
          NO_STORE,
        );
      }),
    },
    {
      method: 'GET',
      path: '/api/activities/:namespace',
      handler: requireUser(identity, async (request, user) => {
        const namespace = request.params['namespace'];
        if (namespace === undefined) throw refusal(400, 'Name a namespace.');
        await requireMembership(access, user, { namespace, roles: ['owner', 'contributor', 'viewer'] });
        return jsonResponse(200, (await client.list(resources.events, { namespace })).items, NO_STORE);
      }),
    },
  ];
}
