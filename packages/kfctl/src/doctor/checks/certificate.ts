/** Looks at the gateway's certificate and its CA: readable, in force, not near the end, and for the address that people use. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { resources } from '@kfctl/kube';
import { CERTIFICATE_SECRET } from '../../credentials/plan-certificate.ts';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';

const DAY_MS = 86_400_000;
const NEAR_DAYS = 30;
const ROTATE = 'kfctl rotate certificate   (in the application directory)';

export const certificateCheck: Check = {
  name: 'certificate',
  title: 'Certificates',
  look: async ({ client, gateway, urls, now }) => {
    if (gateway === undefined) return [];
    const place = { namespace: gateway.metadata.namespace ?? '' };
    const subject = `Secret ${place.namespace}/${CERTIFICATE_SECRET}`;
    const secret = await client.get(resources.secrets, CERTIFICATE_SECRET, place);
    if (secret === undefined) {
      const finding = 'does not exist: the gateway has no certificate';
      return [{ level: 'problem', subject, finding, evidence: [], next: 'kfctl apply all' }];
    }
    const hosts = urls.map((url) => new URL(url).hostname.replaceAll(/[[\]]/g, ''));
    const read = (key: string): X509Certificate | undefined =>
      parse(Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8'));
    const findings = [judge(read('tls.crt'), { subject, hosts, now })];
    // A certificate that people brought themselves may come without its CA.
    const ca = secret.data?.['ca.crt'] === undefined ? undefined : read('ca.crt');
    if (ca !== undefined) findings.push(judge(ca, { subject: `${subject}, its CA`, hosts: [], now }));
    return findings;
  },
};

interface Wanted {
  readonly subject: string;
  readonly hosts: readonly string[];
  readonly now: number;
}

function judge(certificate: X509Certificate | undefined, { subject, hosts, now }: Wanted): Finding {
  const problem = (finding: string, evidence: readonly string[]): Finding => ({
    level: 'problem',
    subject,
    finding,
    evidence,
    next: ROTATE,
  });
  if (certificate === undefined) return problem('holds no certificate under tls.crt', []);
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const dates = [`valid from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`];
  if (now > to) return problem('has expired', dates);
  if (now < from) return problem('is not valid yet: compare the clocks', dates);
  const days = Math.floor((to - now) / DAY_MS);
  if (days < NEAR_DAYS) return { ...problem(`expires in ${days} days`, dates), level: 'warning' };
  const strange = hosts.filter((host) => !covers(certificate, host));
  if (strange.length === 0) return ok(subject, `is in force for ${days} more days`);
  const evidence = [`for ${certificate.subjectAltName ?? 'no name'}`];
  return { ...problem(`is not for ${strange.join(', ')}`, evidence), level: 'warning' };
}

function covers(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) > 0 ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
