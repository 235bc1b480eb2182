/** Owns the `storage` section. */
import type { StorageConfig } from './config.ts';
import { anyNode, object } from './object-shape.ts';
import { boolean, contextOf, expanded, oneOf, refine, reportKey, string } from './shape.ts';
import type { ReadContext, Shape } from './shape.ts';
import type { YamlNode } from './yaml-tree.ts';
import { postgresSettings } from '../storage/postgres/postgres-settings.ts';

const envelope = object('Where state is kept.', {
  type: string('`memory`, `sqlite3`, `postgres` or `kubernetes`.', { required: true }),
  config: anyNode('The settings of that type.'),
});

const sqlite = object('A SQLite file.', { file: string('The file; its directory must exist.', { required: true }) });

const kubernetes = refine(
  object('Custom resources of the group dex.coreos.com.', {
    inCluster: boolean('Use the service account of the pod.'),
    kubeConfigFile: string('Use this kubeconfig file.'),
    crdHandling: oneOf('`ensure` makes the resource definitions when they are missing.', {
      values: ['ensure', 'check'],
      fallback: 'ensure',
    }),
  }),
  (value, complain) => {
    if (value.inCluster === (value.kubeConfigFile !== '')) {
      complain('', 'needs exactly one of inCluster and kubeConfigFile', 'Write inCluster: true in a pod.');
    }
  },
);

/** For the reference. */
export const STORAGE_SCHEMAS: Readonly<Record<string, Shape<unknown>>> = {
  memory: object('Nothing is kept over a restart. For trying things out.', {}),
  sqlite3: sqlite,
  postgres: postgresSettings,
  kubernetes,
};

const READERS: Readonly<Record<string, (node: YamlNode | undefined, context: ReadContext) => StorageConfig>> = {
  memory: () => ({ type: 'memory' }),
  sqlite3: (node, context) => ({ type: 'sqlite3', ...expanded(sqlite).read(node, context) }),
  postgres: (node, context) => ({ type: 'postgres', ...expanded(postgresSettings).read(node, context) }),
  kubernetes: (node, context) => ({ type: 'kubernetes', ...expanded(kubernetes).read(node, context) }),
};

export const storageSection: Shape<StorageConfig> = {
  ...envelope,
  read: (node, context) => {
    const { type, config } = envelope.read(node, context);
    const reader = READERS[type];
    if (reader !== undefined) return reader(config, contextOf(context, 'config', node));
    if (type !== '') {
      reportKey(context, node, {
        key: 'type',
        message: `is "${type}"`,
        hint: `Known: ${Object.keys(READERS).join(', ')}.`,
      });
    }
    return { type: 'memory' };
  },
};
