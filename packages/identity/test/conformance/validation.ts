/** Owns the rows about mistakes of the configuration file: each is named, and the server does not start. */
import assert from 'node:assert/strict';
import { HASH } from '../test-identity.ts';
import { expectNoStart } from './expectations.ts';
import { fileOf, runMain } from './main-process.ts';
import type { Row, Section } from './row.ts';

const GOOD = {
  issuer: 'issuer: http://a.example/dex',
  storage: 'storage: {type: memory}',
  web: 'web: {http: "127.0.0.1:0"}',
  people: 'enablePasswordDB: true',
};

type Part = keyof typeof GOOD;

function fileWith(changes: Partial<Record<Part | 'more', string>>): string {
  return `${Object.values({ ...GOOD, ...changes }).join('\n')}\n`;
}

type Case = readonly [changes: Partial<Record<Part | 'more', string>>, words: RegExp];

/** Each file is refused with these words. */
function refuses(id: string, fact: string, cases: readonly Case[], more: Partial<Row> = {}): Row {
  return {
    id,
    fact,
    stand: 'kept',
    ...more,
    proof: async () => {
      for (const [changes, words] of cases) await expectNoStart({ text: fileWith(changes) }, words);
    },
  };
}

const client = (fields: string): Partial<Record<'more', string>> => ({ more: `staticClients: [{${fields}}]` });
const connector = (fields: string): Partial<Record<'more', string>> => ({ more: `connectors: [{${fields}}]` });
const person = (fields: string): Partial<Record<'more', string>> => ({ more: `staticPasswords: [{${fields}}]` });
const hash = (cost: string): string => HASH.replace('$10$', `$${cost}$`);

export const VALIDATION: Section = {
  id: '1.3',
  title: 'Mistakes of the file',
  rows: [
    {
      id: 'good',
      fact: 'The least file that is served has issuer, storage, an address, and a way to log in.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at({ text: fileWith({}) });
        assert.equal((await identity.fetch('/dex/healthz')).status, 200);
      },
    },
    {
      id: 'all-at-once',
      fact: 'All mistakes are told at once, each with its line, a caret under it, and what to do.',
      stand: 'more',
      dex: 'Tells all that it checks before the start at once, without lines; others come one by one later.',
      why: 'The file is mended in one go.',
      proof: async (servers) => {
        const text = 'storage: {type: oracle}\nweb: {https: "127.0.0.1:0"}\nexpiry: {idTokens: 1d}\n';
        const { code, err } = await runMain(['serve', fileOf(servers, text)]);
        assert.equal(code, 1);
        for (const words of [
          'issuer is required',
          'storage.type is "oracle"',
          'tlsCert is required',
          'tlsKey is required',
        ])
          assert.ok(err.includes(words), words);
        assert.match(err, /line 3: expiry\.idTokens is not a duration[^]*3 \| expiry: \{idTokens: 1d\}\n[ |]+\^/);
      },
    },
    refuses('issuer', 'No issuer is a mistake.', [[{ issuer: '' }, /issuer is required/]]),
    refuses(
      'issuer-url',
      'An issuer that is no http or https URL, or has a query, a fragment or a user, is a mistake.',
      [
        [{ issuer: 'issuer: dex' }, /issuer is not an http or https URL/],
        [{ issuer: 'issuer: ftp://a/dex' }, /issuer is not an http or https URL/],
        [{ issuer: 'issuer: "https://a/dex?x=1"' }, /issuer holds more/],
        [{ issuer: 'issuer: "https://u:p@a/dex"' }, /issuer holds more/],
      ],
      { stand: 'safer', dex: 'Takes what parses as a URL.', why: 'OpenID Connect Core §2.' },
    ),
    refuses('storage', 'No storage, or one of an unknown type, is a mistake.', [
      [{ storage: '' }, /storage.type is required/],
      [{ storage: 'storage: {type: oracle}' }, /storage\.type is "oracle"/],
    ]),
    refuses('web', 'Neither web.http nor web.https is a mistake.', [
      [{ web: '' }, /neither http nor https/],
      [{ web: 'web: {}' }, /neither http nor https/],
    ]),
    refuses('web-tls', 'web.https without tlsCert or without tlsKey is a mistake.', [
      [{ web: 'web: {https: "127.0.0.1:0", tlsKey: k}' }, /web\.tlsCert is required/],
      [{ web: 'web: {https: "127.0.0.1:0", tlsCert: c}' }, /web\.tlsKey is required/],
    ]),
    refuses(
      'web-tls-versions',
      'TLS versions other than 1.2 and 1.3, or a least above the greatest, are mistakes, for web and grpc.',
      [
        [{ web: 'web: {http: "127.0.0.1:0", tlsMinVersion: "1.1"}' }, /web\.tlsMinVersion/],
        [{ web: 'web: {http: "127.0.0.1:0", tlsMaxVersion: "1.4"}' }, /web\.tlsMaxVersion/],
        [{ web: 'web: {http: "127.0.0.1:0", tlsMinVersion: "1.3", tlsMaxVersion: "1.2"}' }, /tlsMinVersion is above/],
        [{ more: 'grpc: {addr: "127.0.0.1:0", tlsMinVersion: "1.0"}' }, /grpc\.tlsMinVersion/],
        [
          { more: 'grpc: {addr: "127.0.0.1:0", tlsMinVersion: "1.3", tlsMaxVersion: "1.2"}' },
          /grpc\.tlsMinVersion is above/,
        ],
      ],
    ),
    refuses(
      'grpc',
      'TLS files of grpc without addr, one of certificate and key alone, or tlsClientCA without them, are mistakes.',
      [
        [{ more: 'grpc: {tlsCert: c, tlsKey: k}' }, /grpc\.addr is missing/],
        [{ more: 'grpc: {addr: "127.0.0.1:0", tlsCert: c}' }, /grpc\.tlsCert needs tlsKey/],
        [{ more: 'grpc: {addr: "127.0.0.1:0", tlsKey: k}' }, /needs tlsKey/],
        [{ more: 'grpc: {addr: "127.0.0.1:0", tlsClientCA: a}' }, /grpc\.tlsClientCA needs/],
      ],
    ),
    refuses('passwords-off', 'staticPasswords without enablePasswordDB is a mistake.', [
      [{ people: '', ...person(`email: a@b.example, hash: "${HASH}"`) }, /staticPasswords has no effect/],
    ]),
    refuses('client-name', 'A client without a name is a mistake.', [
      [client('id: a, secret: s'), /staticClients\[0\]\.name is required/],
    ]),
    refuses('client-id', 'A client needs one of id and idEnv, and not both.', [
      [client('name: A, secret: s'), /id is required/],
      [client('name: A, secret: s, id: a, idEnv: ID'), /idEnv is given beside id/],
    ]),
    refuses('client-secret', 'A client needs one of secret and secretEnv, and not both, unless it is public.', [
      [client('name: A, id: a'), /secret is required/],
      [client('name: A, id: a, secret: s, secretEnv: SECRET'), /secretEnv is given beside secret/],
    ]),
    refuses('client-env', 'A variable that a client names and that is not set, or empty, is a mistake.', [
      [client('name: A, idEnv: NOT_SET, secret: s'), /names NOT_SET, which is not set/],
      [client('name: A, id: a, secretEnv: NOT_SET'), /names NOT_SET, which is not set/],
    ]),
    refuses('connector-fields', 'A connector needs type, id and name.', [
      [connector('id: m, name: M'), /type is required/],
      [connector('type: mockCallback, name: M'), /id is required/],
      [connector('type: mockCallback, id: m'), /name is required/],
    ]),
    refuses('connector-type', 'A connector of an unknown type is a mistake.', [
      [connector('type: quantum, id: q, name: Q'), /connectors\[0\]\.type is "quantum"/],
    ]),
    refuses(
      'connector-config',
      'What a type must have is asked for before the start.',
      [
        [connector('type: ldap, id: l, name: L, config: {}'), /connectors\[0\]\.config\.host is required/],
        [connector('type: ldap, id: l, name: L'), /host is required/],
      ],
      {
        stand: 'more',
        dex: 'Finds it when the connector is opened.',
        why: 'It is told with all the other mistakes.',
      },
    ),
    refuses(
      'connector-id-twice',
      'One id for two connectors is a mistake.',
      [
        [
          { more: 'connectors: [{type: mockCallback, id: m, name: A}, {type: mockCallback, id: m, name: B}]' },
          /another connector has/,
        ],
      ],
      { stand: 'safer', dex: 'The last one wins.', why: 'The id is part of every sub.' },
    ),
    refuses('no-connectors', 'No way to log in is a mistake.', [[{ people: '' }, /offers no way to log in/]]),
    refuses(
      'hash',
      'A hash that is missing or is none of bcrypt is a mistake.',
      [
        [person('email: a@b.example'), /hash is required/],
        [person('email: a@b.example, hash: plain-secret'), /hash is not a bcrypt hash/],
        [person('email: a@b.example, hashFromEnv: NOT_SET'), /names NOT_SET, which is not set/],
      ],
      {
        stand: 'more',
        dex: 'Finds it when the person logs in.',
        why: 'It is told before anybody stands before the page.',
      },
    ),
    refuses(
      'hash-cost',
      'bcrypt of a cost below 10 or above 16 is a mistake.',
      [
        [person(`email: a@b.example, hash: "${hash('09')}"`), /cost 9/],
        [person(`email: a@b.example, hash: "${hash('17')}"`), /cost 17/],
      ],
      {
        stand: 'more',
        dex: 'Answers 500 when the person logs in.',
        why: 'It is told before anybody stands before the page.',
      },
    ),
    {
      id: 'secrets',
      fact: 'No secret of the file is in what is told about it, however the file is laid out.',
      stand: 'kept',
      proof: async (servers) => {
        const written = [
          'staticClients: [{id: a, secret: [hunter2]}]\nstaticPasswords: [{email: a@b, hash: hunter2}]',
          'staticClients: [{name: [], "secret": "hunter2, hunter2", id: a}]',
          'staticClients:\n- id: a\n  name: []\n  secret: hunter2\nstaticPasswords:\n- {hash: hunter2, email: nobody}',
          'staticPasswords:\n- email: a@b\n  hash: |\n    hunter2\n    hunter2',
          'staticPasswords:\n- email: a@b\n  hash:\n    hunter2',
          'staticPasswords:\n- email: a@b\n  hash: "hunter2\n    hunter2',
          'connectors:\n- type: ldap\n  config: {bindPW: hunter2, host: [], clientSecret: hunter2}',
          "connectors:\n- {type: oidc, id: o, name: O, config: {issuer: [], clientSecret:   'hunter2', scopes: 1}}",
          'storage: {config: {password: hunter2}, type: oracle}',
        ];
        for (const more of written) {
          await expectNoStart({ text: fileWith({ more }) }, (error) => {
            assert.match(error.message, /line \d+: /);
            assert.doesNotMatch(error.message, /hunter2/, more);
            return true;
          });
        }
        const { code, err, out } = await runMain(['serve', fileOf(servers, fileWith({ more: written[0] ?? '' }))]);
        assert.equal(code, 1);
        assert.doesNotMatch(err + out, /hunter2/);
      },
    },
  ],
};
