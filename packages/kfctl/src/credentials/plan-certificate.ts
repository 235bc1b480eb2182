/** Owns when the gateway's certificate is made anew: when it is missing, near its end, or does not cover an address. */
import type { KubeClient } from '@kfctl/kube';
import type { Ownership } from '../apply/ownership.ts';
import type { PlannedObject } from '../plan/plan.ts';
import { createCa, createLeaf, isCaGood, isCertificateGood } from './certificate.ts';
import type { KeyPair } from './certificate.ts';
import { planSecret, readSecret } from './secret-object.ts';
import type { SecretPlace } from './secret-object.ts';

export const CERTIFICATE_SECRET = 'istio-ingressgateway-certs';
export const CA_SECRET = 'kfctl-ca';
export const GATEWAY_SERVICE = 'istio-ingressgateway';

const ALWAYS: readonly string[] = ['localhost', '127.0.0.1', '::1'];

export interface CertificateInput {
  readonly client: Pick<KubeClient, 'get'>;
  readonly ownership: Ownership;
  readonly certificate: SecretPlace;
  readonly ca: SecretPlace;
  /** Addresses and names of the gateway as far as they are known. */
  readonly addresses: readonly string[];
  readonly now: number;
  /** Make a new leaf even when the present one is good. */
  readonly renew?: boolean;
}

/** Where the gateway of the plan reads its certificate; undefined when the plan has no gateway with one. */
export function findGateway(
  planned: readonly PlannedObject[],
): { readonly service: PlannedObject; readonly certificate: SecretPlace } | undefined {
  const service = planned.find(({ id }) => id.kind === 'Service' && id.group === '' && id.name === GATEWAY_SERVICE);
  const uses = planned.some(
    ({ id, object }) => id.kind === 'Gateway' && JSON.stringify(object).includes(`"${CERTIFICATE_SECRET}"`),
  );
  if (service === undefined || !uses) return undefined;
  const { application, id } = service;
  return { service, certificate: { application, namespace: id.namespace, name: CERTIFICATE_SECRET } };
}

/** Plans the certificate's Secret and its CA's; empty when someone else made the certificate. */
export async function planCertificate(input: CertificateInput): Promise<PlannedObject[]> {
  const { client, ownership, now } = input;
  const [present, presentCa] = await Promise.all([
    readSecret(client, input.certificate, ownership),
    readSecret(client, input.ca, ownership),
  ]);
  if (present.foreign) return [];
  const names = [...new Set([...ALWAYS, ...input.addresses])];
  const oldCa = pairOf(presentCa.values.get('ca.crt'), presentCa.values.get('ca.key'));
  const ca =
    oldCa !== undefined && isCaGood(oldCa.certificate, now) ? oldCa : await createCa(ownership.deployment, now);
  const old = pairOf(present.values.get('tls.crt'), present.values.get('tls.key'));
  const good = old !== undefined && isCertificateGood(old.certificate, ca.certificate, { names, now });
  const leaf = good && input.renew !== true ? old : await createLeaf(ca, names, now);
  return [
    planSecret(input.ca, { 'ca.crt': ca.certificate, 'ca.key': ca.key }),
    planSecret(
      input.certificate,
      { 'tls.crt': leaf.certificate, 'tls.key': leaf.key, 'ca.crt': ca.certificate },
      'kubernetes.io/tls',
    ),
  ];
}

function pairOf(certificate: KeyPair['key'] | undefined, key: KeyPair['key'] | undefined): KeyPair | undefined {
  return certificate === undefined || key === undefined ? undefined : { certificate: certificate.reveal(), key };
}
