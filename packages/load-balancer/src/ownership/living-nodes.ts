/**
 * Owns the judgement which other speakers live: by when we saw their leases change, never by comparing clocks. Silence counts only while
 * the API server answers us: when it does not, nobody can renew, and that says nothing about anybody.
 */
import { delay } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { Informer, KubeClient, Lease } from '@kfctl/kube';
import { holderOf, nodeLeaseName, versionOf } from './speaker-lease.ts';

/** An answer that takes longer is a sign of trouble. */
const PROMPT_MS = 300;

export class LivingNodes {
  readonly #leases: Informer<Lease>;
  readonly #namespace: string;
  readonly #expiryMs: number;
  readonly #seen = new Map<string, { readonly version: string; readonly at: number }>();

  readonly #checking = new Set<string>();
  #troubleAt = -Infinity;

  constructor(leases: Informer<Lease>, namespace: string, expiryMs: number) {
    this.#leases = leases;
    this.#namespace = namespace;
    this.#expiryMs = expiryMs;
  }

  /** How long the node's last sign of life still counts; 0: it has gone. */
  leftMs(node: string): number {
    const lease = this.#leases.get(nodeLeaseName(node), this.#namespace);
    if (lease === undefined || holderOf(lease) !== node) return 0;
    const since = Math.max(this.#note(lease), this.#troubleAt);
    return Math.max(0, this.#expiryMs - (performance.now() - since));
  }

  /** To be told of every lease as it comes, so that the time is right. */
  observe(lease: Lease): void {
    this.#note(lease);
  }

  /** Reads the node's lease past the watch: true when it gave no sign of life, and the answer came at once. */
  async isSilent(node: string, client: Pick<KubeClient, 'get'>): Promise<boolean> {
    const name = nodeLeaseName(node);
    if (this.#checking.has(name)) return false;
    this.#checking.add(name);
    try {
      const late = delay(PROMPT_MS).then((): 'late' => 'late');
      const fresh = await Promise.race([client.get(resources.leases, name, { namespace: this.#namespace }), late]);
      if (fresh === 'late') throw new Error('the API server is slow');
      if (fresh === undefined || holderOf(fresh) !== node) return true;
      const { version } = this.#seen.get(name) ?? {};
      this.#note(fresh);
      return version === versionOf(fresh);
    } catch {
      this.#troubleAt = performance.now();
      return false;
    } finally {
      this.#checking.delete(name);
    }
  }

  #note(lease: Lease): number {
    const name = lease.metadata.name ?? '';
    const known = this.#seen.get(name);
    const version = versionOf(lease);
    // A lease read directly may be ahead of the watch: what comes later with a lower version is no news.
    if (known !== undefined && !(Number(version) > Number(known.version))) return known.at;
    const at = performance.now();
    this.#seen.set(name, { version, at });
    return at;
  }
}
