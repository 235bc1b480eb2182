/** Owns the rules for namespace names and e-mail addresses that users type. */
import { refusal } from '../errors.ts';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const EMAIL = /^[^\s@,;<>()[\]\\"]+@[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;
const RESERVED = /^(kube-.*|default|kubeflow|istio-system|metallb-system|cert-manager|knative-.*)$/;

/** A workspace name for a user: the local part, other characters as dashes (`Ann.Lee@x.org` -> `ann-lee`). */
export function suggestNamespace(userId: string): string {
  const local = userId.split('@')[0] ?? '';
  return local
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
}

/** The name when it is a DNS label (RFC 1123) that is not the platform's own; otherwise throws 400. */
export function requireNamespaceName(name: unknown): string {
  if (typeof name !== 'string' || !DNS_LABEL.test(name)) {
    throw refusal(
      400,
      'A namespace name has lower case letters, digits and dashes, at most 63, and starts and ends with a letter or digit.',
    );
  }
  if (RESERVED.test(name)) throw refusal(400, `The name ${name} is reserved for the platform. Choose another one.`);
  return name;
}

export function requireEmail(contributor: unknown): string {
  if (contributor === undefined || contributor === '') throw refusal(400, 'Missing contributor field.');
  if (typeof contributor !== 'string' || contributor.length > 254 || !EMAIL.test(contributor)) {
    throw refusal(400, `Contributor doesn't look like a valid email address`);
  }
  return contributor;
}
