/** Owns the `grpc` section. The API changes who may log in: without certificates it is served on loopback or not at all. */
import type { Environment } from '@kfctl/core';
import type { GrpcConfig } from './config.ts';
import { listenAddress } from './listen-address.ts';
import { object } from './object-shape.ts';
import { boolean, isSaidYes, oneOf, refine, reportKey, string } from './shape.ts';
import type { Shape } from './shape.ts';

const TLS_VERSIONS = { values: ['1.2', '1.3'] } as const;

/** Dex's switch: connectors can be kept through the API. */
export function keepsConnectors(env: Environment): boolean {
  return isSaidYes(env['DEX_API_CONNECTORS_CRUD']);
}

const section = object('The management API `api.Dex` (gRPC): clients, people, connectors, refresh tokens.', {
  addr: listenAddress('Where it listens, for example 0.0.0.0:5557.', 'grpc-addr'),
  tlsCert: string('Certificate chain file (PEM); read again when it changes.'),
  tlsKey: string('Private key file (PEM).'),
  tlsClientCA: string('File (PEM) with the authorities whose certificates callers must have.'),
  tlsMinVersion: oneOf('Oldest TLS version accepted.', { ...TLS_VERSIONS, fallback: '1.2' }),
  tlsMaxVersion: oneOf('Newest TLS version accepted.', { ...TLS_VERSIONS, fallback: '1.3' }),
  insecureWithoutClientCertificates: boolean('Serve callers without a certificate; on a loopback address only.'),
  reflection: boolean('Programs may ask the server what the API is (grpcurl without a file).'),
});

const checked = refine(section, (grpc, complain) => {
  const { addr, tlsCert, tlsKey, tlsClientCA } = grpc;
  if (addr === undefined && [tlsCert, tlsKey, tlsClientCA].some((file) => file !== ''))
    complain('addr', 'is missing beside TLS files', 'Write for example 0.0.0.0:5557.');
  if ((tlsCert === '') !== (tlsKey === '')) complain('tlsCert', 'needs tlsKey, and the other way round', 'Give both.');
  if (tlsClientCA !== '' && tlsCert === '') complain('tlsClientCA', 'needs tlsCert and tlsKey', 'Give all three.');
  if (grpc.tlsMinVersion > grpc.tlsMaxVersion)
    complain('tlsMinVersion', 'is above tlsMaxVersion', 'Swap or remove one of them.');
});

/** Undefined: not served. */
export const grpcSection: Shape<GrpcConfig | undefined> = {
  ...checked,
  read: (node, context) => {
    const { addr, insecureWithoutClientCertificates: insecure, ...given } = checked.read(node, context);
    const sessionsCrud = isSaidYes(context.env['DEX_API_SESSIONS_IDENTITIES_CRUD']);
    const tls = { ...given, connectorsCrud: keepsConnectors(context.env), sessionsCrud };
    if (addr === undefined) return undefined;
    if (tls.tlsClientCA !== '') return { ...tls, addr };
    if (insecure && isLoopback(addr.host)) return { ...tls, addr };
    if (insecure) {
      const hint = 'Listen on 127.0.0.1, or give tlsClientCA.';
      reportKey(context, node, {
        key: 'addr',
        message: 'is no loopback address, and callers need no certificate',
        hint,
      });
      return undefined;
    }
    context.problems.warn({
      offset: node?.offset ?? context.offset,
      path: context.path,
      message: 'has no tlsClientCA: whoever reaches the port could change who may log in, so it is not served',
      hint: 'Give tlsCert, tlsKey and tlsClientCA, or a loopback address and insecureWithoutClientCertificates: true.',
    });
    return undefined;
  },
};

function isLoopback(host: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(host) || host === '::1' || host === 'localhost';
}
