/** Owns the one person that the mock connectors know; tests of clients of Dex expect exactly these claims. */
import type { Authenticated } from '../connector.ts';

export const MOCK_PERSON: Authenticated = {
  identity: {
    userId: '0-385-28089-0',
    username: 'Kilgore Trout',
    preferredUsername: '',
    email: 'kilgore@kilgore.trout',
    emailVerified: true,
    groups: ['authors'],
  },
  connectorData: Buffer.from('foobar'),
};
