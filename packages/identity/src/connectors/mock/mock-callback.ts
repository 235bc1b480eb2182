/** Owns `mockCallback`: comes straight back with one fixed person, for trying clients out. */
import { object } from '../../config/object-shape.ts';
import type { ConnectorType } from '../connector.ts';
import { MOCK_PERSON } from './mock-identity.ts';

export const mockCallback: ConnectorType<object> = {
  type: 'mockCallback',
  schema: object('Logs one fixed person in without asking; for tests only.', {}),
  open: (_config, { callbackPath }) =>
    Promise.resolve({
      callback: {
        begin: ({ seal }) =>
          Promise.resolve({ location: `${callbackPath}?${new URLSearchParams({ state: seal({}) }).toString()}` }),
        finish: () => Promise.resolve({ kind: 'authenticated', ...MOCK_PERSON }),
      },
      refresh: { refresh: () => Promise.resolve({ kind: 'authenticated', ...MOCK_PERSON }) },
      tokenIdentity: { identify: () => Promise.resolve({ kind: 'authenticated', ...MOCK_PERSON }) },
    }),
};
