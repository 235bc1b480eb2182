import { runStorageSuite } from '../../../../testkit/src/identity-storage.ts';
import { createMemoryStorage } from './memory-storage.ts';

runStorageSuite({ name: 'memory', open: () => createMemoryStorage() });
