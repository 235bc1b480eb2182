/** Owns the settings of storage in PostgreSQL: Dex's keys. */
import type { Secret } from '@kfctl/core';
import { object } from '../../config/object-shape.ts';
import { integer, oneOf, refine, secret, string } from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';

export interface PostgresSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
  readonly connectionTimeout: number;
  readonly maxOpenConns: number;
  readonly maxIdleConns: number;
  readonly connMaxLifetime: number;
  readonly ssl: {
    readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
    readonly caFile: string;
    readonly keyFile: string;
    readonly certFile: string;
  };
}

export const postgresSettings: Shape<PostgresSettings> = refine(
  object('A PostgreSQL database.', {
    host: string('Its host, host:port, or the directory of its socket.', { fallback: 'localhost' }),
    port: integer('Its port; 5432 unless given here or in host.', { fallback: 0, max: 65_535 }),
    database: string('The name of the database.', { required: true }),
    user: string('Who we are there.', { required: true }),
    password: secret('Our password there.'),
    connectionTimeout: integer('Seconds that connecting may take; 0 means 10.', { fallback: 0, max: 600 }),
    maxOpenConns: integer('How many connections at most; 0 means 5.', { fallback: 5, max: 1000 }),
    maxIdleConns: integer('Accepted for compatibility: idle connections are closed after ten seconds.', {
      fallback: 5,
    }),
    connMaxLifetime: integer('Seconds after which a connection is replaced; 0 means never.', { fallback: 0 }),
    ssl: object('Transport security.', {
      mode: oneOf('How much is checked.', {
        values: ['disable', 'require', 'verify-ca', 'verify-full'],
        fallback: 'verify-full',
      }),
      caFile: string('The certificate authority of the server.'),
      keyFile: string('The key of our certificate.'),
      certFile: string('Our certificate.'),
    }),
  }),
  ({ ssl }, complain) => {
    if ((ssl.keyFile === '') !== (ssl.certFile === ''))
      complain('ssl', 'has only one of keyFile and certFile', 'Give both or none.');
  },
);
