/** Owns where the gateway's certificate lives and which addresses it must cover as far as the cluster tells now. */
import type { KubeClient } from '@kfctl/kube';
import type { App } from '../app/app-directory.ts';
import { CA_SECRET, findGateway } from '../credentials/plan-certificate.ts';
import type { CertificateInput } from '../credentials/plan-certificate.ts';
import type { PlannedObject } from '../plan/plan.ts';
import { getObject } from './apply-waves.ts';
import type { Ownership } from './ownership.ts';
import { ingressAddresses } from './readiness.ts';

export interface GatewayContext {
  readonly client: KubeClient;
  readonly app: App;
  readonly ownership: Ownership;
  readonly planned: readonly PlannedObject[];
}

/** The input for the gateway's certificate; undefined when the plan has no gateway that needs one. */
export async function certificateInput({
  client,
  app,
  ownership,
  planned,
}: GatewayContext): Promise<CertificateInput | undefined> {
  const gateway = findGateway(planned);
  if (gateway === undefined) return undefined;
  const { service, certificate } = gateway;
  const live = await getObject(client, service.type, service.id);
  return {
    client,
    ownership,
    certificate,
    // Away from the gateway, which may read every Secret of its own namespace: the CA's key is not its business.
    ca: { application: certificate.application, namespace: app.kfdef.namespace, name: CA_SECRET },
    addresses: ingressAddresses(live),
    now: Date.now(),
  };
}
