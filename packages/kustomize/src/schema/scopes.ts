/** Built-in types that live outside namespaces, as the reference knows them (Kubernetes 1.21 API). */

const types: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1beta1': 'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/v1': 'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/v1beta1': 'CustomResourceDefinition',
  'apiextensions.k8s.io/v1': 'CustomResourceDefinition',
  'apiregistration.k8s.io/v1beta1': 'APIService',
  'apiregistration.k8s.io/v1': 'APIService',
  'certificates.k8s.io/v1beta1': 'CertificateSigningRequest',
  'certificates.k8s.io/v1': 'CertificateSigningRequest',
  'flowcontrol.apiserver.k8s.io/v1beta1': 'FlowSchema PriorityLevelConfiguration',
  'networking.k8s.io/v1beta1': 'IngressClass',
  'networking.k8s.io/v1': 'IngressClass',
  'node.k8s.io/v1beta1': 'RuntimeClass',
  'node.k8s.io/v1': 'RuntimeClass',
  'policy/v1beta1': 'PodSecurityPolicy',
  'rbac.authorization.k8s.io/v1beta1': 'ClusterRole ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1': 'ClusterRole ClusterRoleBinding',
  'scheduling.k8s.io/v1beta1': 'PriorityClass',
  'scheduling.k8s.io/v1': 'PriorityClass',
  'storage.k8s.io/v1beta1': 'CSIDriver CSINode StorageClass VolumeAttachment',
  'storage.k8s.io/v1': 'CSIDriver CSINode StorageClass VolumeAttachment',
  v1: 'ComponentStatus Namespace Node NodeProxyOptions PersistentVolume',
};

/** `apiVersion/kind` of every type that is known to be cluster-scoped. */
export const clusterScopedTypes: ReadonlySet<string> = new Set(
  Object.entries(types).flatMap(([apiVersion, kinds]) => kinds.split(' ').map((kind) => `${apiVersion}/${kind}`)),
);
