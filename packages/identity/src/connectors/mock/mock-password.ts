/** Owns `mockPassword`: one fixed name and password, for trying clients out. */
import { constantTimeEqual } from '@kfctl/core';
import type { Secret } from '@kfctl/core';
import { object } from '../../config/object-shape.ts';
import { secret, string } from '../../config/shape.ts';
import type { ConnectorType } from '../connector.ts';
import { MOCK_PERSON } from './mock-identity.ts';

interface MockPasswordConfig {
  readonly username: string;
  readonly password: Secret;
}

export const mockPassword: ConnectorType<MockPasswordConfig> = {
  type: 'mockPassword',
  schema: object('Logs one fixed person in; for tests only.', {
    username: string('The name that is accepted.', { required: true }),
    password: secret('The password that is accepted.', { required: true }),
  }),
  open: (config) =>
    Promise.resolve({
      password: {
        prompt: 'Username',
        login: ({ username, password }) => {
          const right = username === config.username && constantTimeEqual(password, config.password.reveal());
          return Promise.resolve(
            right ? { kind: 'authenticated', ...MOCK_PERSON } : { kind: 'denied', reason: 'wrong name or password' },
          );
        },
      },
      refresh: { refresh: () => Promise.resolve({ kind: 'authenticated', ...MOCK_PERSON }) },
    }),
};
