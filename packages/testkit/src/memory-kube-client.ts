/**
 * Owns a KubeClient that keeps objects in memory: versions, conflicts, preconditions, watches, owner garbage collection. It knows no
 * schemas, no admission and no field managers; what needs those runs against a real API server.
 */
import { apiVersionOf, KubeError } from '@kfctl/kube';
import type {
  ApplyOptions,
  DeleteOptions,
  DiscoveredResource,
  KubeClient,
  KubeObject,
  ListOptions,
  ListResult,
  LogOptions,
  ObjectPlace,
  PatchBody,
  RawResponse,
  ResourceType,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '@kfctl/kube';
import { mergeJson } from './merge-json.ts';

export interface MemoryCall {
  readonly verb: 'create' | 'replace' | 'patch' | 'apply' | 'delete';
  readonly type: ResourceType<KubeObject>;
  readonly name: string;
  readonly subresource?: string | undefined;
}

interface Stored {
  readonly type: ResourceType<KubeObject>;
  readonly object: KubeObject;
}

interface Change extends Stored {
  readonly kind: 'added' | 'modified' | 'deleted';
  readonly version: number;
}

export class MemoryKubeClient implements KubeClient {
  /** Every write that was asked for, in order. */
  readonly calls: MemoryCall[] = [];
  /** Throws to make a write fail; called before it is done. */
  onWrite: (call: MemoryCall) => void = () => undefined;
  /** False: what belongs to deleted objects stays, as where the garbage collector is late or stuck. */
  collectsGarbage = true;
  readonly #objects = new Map<string, Stored>();
  readonly #history: Change[] = [];
  readonly #watchers = new Set<() => void>();
  #version = 0;

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    place: ObjectPlace = {},
  ): Promise<T | undefined> {
    return this.#read(type, name, place.namespace);
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ListResult<T>> {
    const items = [...this.#objects.values()].filter((stored) => isSelected(stored, type, options));
    return { items: items.map(({ object }) => structuredClone(object) as T), resourceVersion: String(this.#version) };
  }

  async *watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    let position = this.#history.findIndex((change) => change.version > Number(options.resourceVersion ?? 0));
    if (position < 0) position = this.#history.length;
    while (options.signal?.aborted !== true) {
      const change = this.#history[position];
      if (change === undefined) {
        await this.#nextChange(options.signal);
        continue;
      }
      position += 1;
      if (isSelected(change, type, options)) yield { kind: change.kind, object: structuredClone(change.object) as T };
    }
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { name = '' } = object.metadata;
    const namespace = options.namespace ?? object.metadata.namespace;
    this.#begin({ verb: 'create', type, name, subresource: options.subresource });
    if (this.#read(type, name, namespace) !== undefined)
      throw failure(409, 'AlreadyExists', `${type.plural} "${name}" already exists`);
    return this.#write(type, { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } });
  }

  async replace<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { name = '', namespace, resourceVersion } = object.metadata;
    this.#begin({ verb: 'replace', type, name, subresource: options.subresource });
    const present = this.#require(type, name, options.namespace ?? namespace);
    if (resourceVersion !== undefined && resourceVersion !== present.metadata.resourceVersion) {
      throw failure(409, 'Conflict', `${type.plural} "${name}" has been modified`);
    }
    return this.#write(type, object);
  }

  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    { patch, ...options }: { readonly patch: PatchBody } & WriteOptions,
  ): Promise<T> {
    this.#begin({ verb: 'patch', type, name, subresource: options.subresource });
    const present = this.#require(type, name, options.namespace);
    if (patch.kind === 'json') throw failure(415, 'UnsupportedMediaType', 'JSON patches need a real API server');
    return this.#write(type, mergeJson(present, patch.body) as T);
  }

  async apply<T extends KubeObject>(type: ResourceType<T>, object: T, options: ApplyOptions): Promise<T> {
    const { name = '' } = object.metadata;
    this.#begin({ verb: 'apply', type, name, subresource: options.subresource });
    const present = this.#read(type, name, options.namespace ?? object.metadata.namespace);
    return this.#write(type, present === undefined ? object : (mergeJson(present, object) as T));
  }

  async delete(type: ResourceType<KubeObject>, name: string, options: DeleteOptions = {}): Promise<boolean> {
    this.#begin({ verb: 'delete', type, name });
    const present = this.#read(type, name, options.namespace);
    if (present === undefined) return false;
    const { uid } = options.preconditions ?? {};
    if (uid !== undefined && uid !== present.metadata.uid)
      throw failure(409, 'Conflict', 'the UID in the precondition does not match');
    this.#remove({ type, object: present });
    return true;
  }

  async *logs(_podName: string, _options: LogOptions = {}): AsyncGenerator<Buffer> {
    // No containers, no logs.
  }

  async discover(): Promise<readonly DiscoveredResource[]> {
    return [];
  }

  async request(): Promise<RawResponse> {
    return { status: 404, body: '' };
  }

  close(): void {
    for (const wake of this.#watchers) wake();
  }

  #begin(call: MemoryCall): void {
    this.calls.push(call);
    this.onWrite(call);
  }

  #read<T extends KubeObject>(type: ResourceType<T>, name: string, namespace: string | undefined): T | undefined {
    const stored = this.#objects.get(keyOf(type, name, namespace));
    return stored === undefined ? undefined : (structuredClone(stored.object) as T);
  }

  #require<T extends KubeObject>(type: ResourceType<T>, name: string, namespace: string | undefined): T {
    const present = this.#read(type, name, namespace);
    if (present === undefined) throw failure(404, 'NotFound', `${type.plural} "${name}" not found`);
    return present;
  }

  #write<T extends KubeObject>(type: ResourceType<T>, object: T): T {
    const { name = '', namespace } = object.metadata;
    const key = keyOf(type, name, namespace);
    const present = this.#objects.get(key)?.object;
    const wanted: KubeObject = structuredClone({ ...object, apiVersion: apiVersionOf(type), kind: type.kind });
    wanted.metadata.uid = present?.metadata.uid ?? crypto.randomUUID();
    wanted.metadata.creationTimestamp ??= '2026-01-01T00:00:00Z';
    wanted.metadata.resourceVersion = present?.metadata.resourceVersion ?? '';
    // As the API server: a write that changes nothing gives no new version and no event.
    if (JSON.stringify(present) === JSON.stringify(wanted)) return structuredClone(wanted) as T;
    wanted.metadata.resourceVersion = String(this.#version + 1);
    this.#objects.set(key, { type, object: wanted });
    this.#tell({ kind: present === undefined ? 'added' : 'modified', type, object: wanted });
    return structuredClone(wanted) as T;
  }

  #remove(stored: Stored): void {
    const { name = '', namespace, uid } = stored.object.metadata;
    this.#objects.delete(keyOf(stored.type, name, namespace));
    this.#tell({ kind: 'deleted', ...stored });
    for (const other of this.#objects.values()) {
      const owned =
        this.collectsGarbage && other.object.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
      const inside = stored.type.plural === 'namespaces' && other.object.metadata.namespace === name;
      if (owned || inside) this.#remove(other);
    }
  }

  #tell(change: Omit<Change, 'version'>): void {
    this.#version += 1;
    this.#history.push({ ...change, version: this.#version });
    for (const wake of this.#watchers) wake();
  }

  #nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#watchers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}

function keyOf(type: ResourceType<KubeObject>, name: string, namespace: string | undefined): string {
  return `${type.group}/${type.plural}/${type.namespaced ? (namespace ?? '') : ''}/${name}`;
}

function isSelected({ type, object }: Stored, wanted: ResourceType<KubeObject>, options: ListOptions): boolean {
  if (type.plural !== wanted.plural || type.group !== wanted.group) return false;
  if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) return false;
  const terms = options.labelSelector?.split(',') ?? [];
  const name = /^metadata\.name=(.*)$/.exec(options.fieldSelector ?? '')?.[1];
  if (name !== undefined && object.metadata.name !== name) return false;
  return terms.every((term) => {
    const [label = '', value = ''] = term.split('=');
    return object.metadata.labels?.[label] === value;
  });
}

function failure(status: number, reason: string, message: string): KubeError {
  return new KubeError({ status, reason, message });
}
