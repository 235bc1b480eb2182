/** Owns the error codes of identity. A retired code is never used again. */

export const IDENTITY_ERRORS = {
  configInvalid: 'IDENTITY_CONFIG_INVALID',
  configUnreadable: 'IDENTITY_CONFIG_UNREADABLE',
  usage: 'IDENTITY_USAGE',
  storageFailed: 'IDENTITY_STORAGE_FAILED',
  keysMissing: 'IDENTITY_KEYS_MISSING',
  busy: 'IDENTITY_BUSY',
  connectorFailed: 'IDENTITY_CONNECTOR_FAILED',
  connectorConfig: 'IDENTITY_CONNECTOR_CONFIG',
  page: 'IDENTITY_PAGE',
  protocol: 'IDENTITY_PROTOCOL',
  template: 'IDENTITY_TEMPLATE',
} as const;
