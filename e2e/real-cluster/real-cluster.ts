/**
 * Owns the use of a real Kubernetes in tests: one node with kubelet, kube-proxy and containerd on this machine. KFCTL_REAL_CLUSTER names
 * a folder with the scripts `node-up.sh` (starts it and prints `KUBECONFIG=<file>`), `mkimage.sh FOLDER NAME:TAG OUT.tar CONFIG`,
 * `load-image.sh FILE.tar` and `down.sh wipe`. A machine holds one such cluster: run one test of this folder at a time.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

export interface RealCluster {
  readonly kubeconfig: string;
  /** Makes an image of a root directory and gives it to the node. */
  addImage(rootDirectory: string, name: string, config: object): void;
  /** Gives the node the images of an archive. */
  loadArchive(file: string): void;
  /** Ends it, and forgets everything. */
  stop(): void;
}

const SCRIPTS = ['node-up.sh', 'mkimage.sh', 'load-image.sh', 'down.sh'];
/** The bridge of the node's network. */
export const NODE_LINK = 'k8s0';

/** Why there is none, or false. */
export function whyNoRealCluster(): string | false {
  const folder = process.env['KFCTL_REAL_CLUSTER'];
  if (folder === undefined) return 'KFCTL_REAL_CLUSTER names no folder with the scripts of a real Kubernetes';
  const missing = SCRIPTS.filter((script) => !existsSync(path.join(folder, script)));
  if (missing.length > 0) return `${folder} has no ${missing.join(', ')}`;
  if (process.getuid?.() !== 0) return 'a kubelet needs root';
  if (spawnSync('ip', ['link', 'show', NODE_LINK]).status === 0) return 'the real Kubernetes of this machine is in use';
  return false;
}

/** Starts it, empty. Half a minute. */
export function startRealCluster(): RealCluster {
  script('down.sh', 'wipe');
  const output = script('node-up.sh');
  const kubeconfig = /KUBECONFIG=(\S+)/.exec(output)?.[1] ?? '';
  return {
    kubeconfig,
    addImage: (rootDirectory, name, config) => {
      const archive = `${rootDirectory}.tar`;
      script('mkimage.sh', rootDirectory, name, archive, JSON.stringify(config));
      script('load-image.sh', archive);
    },
    loadArchive: (file) => void script('load-image.sh', file),
    stop: () => void script('down.sh', 'wipe'),
  };
}

function script(name: string, ...args: readonly string[]): string {
  const file = path.join(process.env['KFCTL_REAL_CLUSTER'] ?? '', name);
  const { status, stdout, stderr } = spawnSync('bash', [file, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} failed\n${stdout}${stderr}`);
  return stdout;
}
