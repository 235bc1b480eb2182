/** Owns storage in custom resources of dex.coreos.com/v1: Dex's own objects, changed by optimistic locking, so replicas agree. */
import { AppError, delay } from '@kfctl/core';
import { defineResource, isKubeError } from '@kfctl/kube';
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { IDENTITY_ERRORS } from '../../errors.ts';
import { EXPIRING_KINDS, expiryOf, OWN_KINDS, RECORD_KINDS } from '../records.ts';
import type { RecordKind, Records } from '../records.ts';
import type { Storage, Stored } from '../storage.ts';
import { CODECS, decodeRecord, encodeRecord } from './codecs.ts';

export interface KubernetesStorageOptions {
  readonly client: KubeClient;
  readonly namespace: string;
}

const API_VERSION = 'dex.coreos.com/v1';
const MAX_ATTEMPTS = 20;

const RESOURCES = new Map<RecordKind, ResourceType>(
  RECORD_KINDS.map((kind) => [
    kind,
    defineResource(API_VERSION, CODECS[kind].resourceKind, { plural: CODECS[kind].plural }),
  ]),
);

export function createKubernetesStorage({ client, namespace }: KubernetesStorageOptions): Storage {
  const store = new ObjectStore(client, namespace);
  return {
    get: async (kind, id) => store.decode(kind, await store.get(kind, id)),
    create: async (kind, id, record) => await store.create(kind, id, record),
    update: (kind, id, change) => store.update(kind, id, change),
    take: (kind, id) => store.take(kind, id),
    list: (kind) => store.list(kind),
    deleteExpired: (nowMs) => store.deleteExpired(nowMs),
    close: () => {
      client.close();
      return Promise.resolve();
    },
  };
}

class ObjectStore {
  readonly #client: KubeClient;
  readonly #namespace: string;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  async get(kind: RecordKind, id: string): Promise<UnknownObject | undefined> {
    const object = await this.#client.get(resourceOf(kind), nameOf(kind, id), { namespace: this.#namespace });
    // Names of offline sessions are 64-bit hashes: an object of somebody else under our name is not ours.
    return object === undefined || idOf(kind, object) !== id ? undefined : object;
  }

  decode<K extends RecordKind>(kind: K, object: UnknownObject | undefined): Records[K] | undefined {
    return object === undefined ? undefined : (decodeRecord(kind, object) as unknown as Records[K]);
  }

  async create(kind: RecordKind, id: string, record: Records[RecordKind]): Promise<boolean> {
    const object: UnknownObject = {
      apiVersion: API_VERSION,
      kind: CODECS[kind].resourceKind,
      metadata: { name: nameOf(kind, id), namespace: this.#namespace },
      ...encodeRecord(kind, record),
    };
    try {
      await this.#client.create(resourceOf(kind), object, { namespace: this.#namespace });
      return true;
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists')) return false;
      throw error;
    }
  }

  async update<K extends RecordKind>(
    kind: K,
    id: string,
    change: (record: Records[K]) => Records[K] | undefined,
  ): Promise<Records[K] | undefined> {
    return await retryConflicts(kind, async () => {
      const object = await this.get(kind, id);
      const current = this.decode(kind, object);
      const next = current === undefined ? undefined : change(current);
      if (object === undefined || next === undefined) return { value: undefined };
      // Fields that only Dex knows stay as they are.
      const replaced = { ...object, ...encodeRecord(kind, next) };
      return { value: (await this.#replace(kind, replaced)) ? next : undefined };
    });
  }

  async take<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined> {
    return await retryConflicts(kind, async () => {
      const object = await this.get(kind, id);
      if (object === undefined) return { value: undefined };
      return { value: (await this.#delete(kind, object)) ? this.decode(kind, object) : undefined };
    });
  }

  async list<K extends RecordKind>(kind: K): Promise<readonly Stored<K>[]> {
    const { items } = await this.#client.list(resourceOf(kind), { namespace: this.#namespace });
    return items.map((object) => ({
      id: idOf(kind, object),
      record: decodeRecord(kind, object) as unknown as Records[K],
    }));
  }

  async deleteExpired(nowMs: number): Promise<number> {
    let count = 0;
    for (const kind of EXPIRING_KINDS) {
      const { items } = await this.#client
        .list(resourceOf(kind), { namespace: this.#namespace })
        .catch((error: unknown) => nothingOfOwnKind(kind, error));
      for (const object of items) {
        const expiry = expiryOf(decodeRecord(kind, object) as unknown as Records[RecordKind]) ?? 0;
        if (expiry < nowMs && (await this.#delete(kind, object).catch(ignoreConflict))) count += 1;
      }
    }
    return count;
  }

  /** False when somebody has taken the object meanwhile. */
  async #replace(kind: RecordKind, object: UnknownObject): Promise<boolean> {
    try {
      await this.#client.replace(resourceOf(kind), object, { namespace: this.#namespace });
      return true;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return false;
      throw error;
    }
  }

  // The precondition makes the delete a compare-and-swap: of several takers one gets true.
  async #delete(kind: RecordKind, { metadata }: UnknownObject): Promise<boolean> {
    const { uid, resourceVersion } = metadata;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    return await this.#client.delete(resourceOf(kind), metadata.name ?? '', {
      namespace: this.#namespace,
      preconditions,
    });
  }
}

function resourceOf(kind: RecordKind): ResourceType {
  return RESOURCES.get(kind) as ResourceType;
}

function nameOf(kind: RecordKind, id: string): string {
  return CODECS[kind].name(id);
}

function idOf(kind: RecordKind, object: UnknownObject): string {
  return CODECS[kind].id(object.metadata.name ?? '', object);
}

// Where there are Dex's definitions and rights only; what needs our own kinds says so when it is used.
function nothingOfOwnKind(kind: RecordKind, error: unknown): { readonly items: readonly UnknownObject[] } {
  if (OWN_KINDS.includes(kind) && isKubeError(error, 'NotFound', 'Forbidden')) return { items: [] };
  throw error;
}

function ignoreConflict(error: unknown): false {
  if (isKubeError(error, 'Conflict')) return false;
  throw error;
}

async function retryConflicts<T>(kind: RecordKind, attempt: () => Promise<{ readonly value: T }>): Promise<T> {
  for (let count = 0; count < MAX_ATTEMPTS; count += 1) {
    try {
      return (await attempt()).value;
    } catch (error) {
      if (!isKubeError(error, 'Conflict')) throw error;
      await delay(Math.random() * 20 * (count + 1));
    }
  }
  throw new AppError(IDENTITY_ERRORS.storageFailed, `too many writers change the same ${kind} object`);
}
