/** Owns the choice of storage; a module is loaded when the configuration asks for it. */
import type { Environment } from '@kfctl/core';
import type { StorageConfig } from '../config/config.ts';
import type { Storage } from './storage.ts';

export async function openStorage(config: StorageConfig, env: Environment): Promise<Storage> {
  switch (config.type) {
    case 'memory':
      return (await import('./memory/memory-storage.ts')).createMemoryStorage();
    case 'sqlite3':
      return (await import('./sqlite/sqlite-storage.ts')).openSqliteStorage(config.file);
    case 'postgres':
      return await (await import('./postgres/postgres-storage.ts')).openPostgresStorage(config);
    case 'kubernetes':
      return await (await import('./kubernetes/open-kubernetes-storage.ts')).openKubernetesStorage(config, env);
  }
}
