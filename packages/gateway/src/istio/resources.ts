/** Owns the descriptors of the Istio resources that the gateway reads. */
import { defineResource } from '@kfctl/kube';
import type { ResourceType, UnknownObject } from '@kfctl/kube';

export const gateways: ResourceType<UnknownObject> = defineResource('networking.istio.io/v1beta1', 'Gateway', {
  plural: 'gateways',
});
export const virtualServices: ResourceType<UnknownObject> = defineResource(
  'networking.istio.io/v1beta1',
  'VirtualService',
  { plural: 'virtualservices' },
);
export const destinationRules: ResourceType<UnknownObject> = defineResource(
  'networking.istio.io/v1beta1',
  'DestinationRule',
  { plural: 'destinationrules' },
);
export const requestAuthentications: ResourceType<UnknownObject> = defineResource(
  'security.istio.io/v1beta1',
  'RequestAuthentication',
  { plural: 'requestauthentications' },
);
export const envoyFilters: ResourceType<UnknownObject> = defineResource('networking.istio.io/v1alpha3', 'EnvoyFilter', {
  plural: 'envoyfilters',
});
export const authorizationPolicies: ResourceType<UnknownObject> = defineResource(
  'security.istio.io/v1beta1',
  'AuthorizationPolicy',
  { plural: 'authorizationpolicies' },
);
