/** The ordered objects of a build. Two objects never share an id; lookups by earlier ids are what patches and merges use. */

import { KustomizeError } from '../errors.ts';
import { type ResourceId, describeId, effectiveNamespace, idKey } from './identity.ts';
import type { Resource } from './resource.ts';

function sameObject(left: ResourceId, right: ResourceId): boolean {
  return (
    left.name === right.name &&
    left.kind === right.kind &&
    left.group === right.group &&
    left.version === right.version &&
    effectiveNamespace(left) === effectiveNamespace(right)
  );
}

export class ResourceMap {
  resources: Resource[] = [];

  appendAll(added: readonly Resource[]): void {
    const taken = new Set(this.resources.map((resource) => idKey(resource.currentId())));
    for (const resource of added) {
      const id = resource.currentId();
      const key = idKey(id);
      if (taken.has(key)) {
        throw new KustomizeError(
          'RESOURCE_CONFLICT',
          `may not add resource with an already registered id: ${describeId(id)}`,
          {
            hint: 'list it once, or change it with a patch',
          },
        );
      }
      taken.add(key);
      this.resources.push(resource);
    }
  }

  /** Refuses two objects with one id, and objects that lost their name or kind on the way. */
  requireValid(): void {
    const taken = new Set<string>();
    for (const resource of this.resources) {
      const id = resource.currentId();
      const key = idKey(id);
      if (id.kind === '' || (id.name === '' && !id.kind.endsWith('List'))) {
        throw new KustomizeError('RESOURCE_INVALID', `an object lost its kind or metadata.name: ${describeId(id)}`);
      }
      if (taken.has(key)) {
        throw new KustomizeError('RESOURCE_CONFLICT', `two objects ended with the same id: ${describeId(id)}`);
      }
      taken.add(key);
    }
  }

  dropGone(): void {
    if (this.resources.some((resource) => resource.isGone())) {
      this.resources = this.resources.filter((resource) => !resource.isGone());
    }
  }

  /** Objects that have, or ever had, the id. */
  byAnyId(id: ResourceId): Resource[] {
    return this.resources.filter((resource) => {
      if (resource.isGone()) return false;
      if (resource.previous.length > 0 && resource.previousIds().some((previous) => sameObject(previous, id)))
        return true;
      return resource.name === id.name && sameObject(resource.currentId(), id);
    });
  }

  /** The one object that has, or had, the id. */
  requireById(id: ResourceId): Resource {
    const [found, second] = this.byAnyId(id);
    if (found === undefined || second !== undefined) {
      const reason = found === undefined ? 'no matches' : 'multiple matches';
      throw new KustomizeError(
        'TARGET_NOT_FOUND',
        `${reason} for Id ${describeId(id)}; failed to find unique target for patch`,
        {
          hint: 'name, namespace, kind and apiVersion must be those of one resource',
        },
      );
    }
    return found;
  }

  /** Adds generated objects: created, or merged into or put in place of an existing one, as their behavior says. */
  absorb(generated: readonly Resource[]): void {
    for (const resource of generated) this.absorbOne(resource);
  }

  private absorbOne(resource: Resource): void {
    const id = resource.currentId();
    const matches = this.byAnyId(id);
    const [old, second] = matches;
    const changes = resource.behavior === 'merge' || resource.behavior === 'replace';
    if (second !== undefined) {
      throw new KustomizeError(
        'GENERATOR_INVALID',
        `found multiple objects that could accept merge of ${describeId(id)}`,
      );
    }
    if (old === undefined) {
      if (changes)
        throw new KustomizeError('GENERATOR_INVALID', `id ${describeId(id)} does not exist; cannot merge or replace`);
      this.appendAll([resource]);
      return;
    }
    if (!changes) {
      throw new KustomizeError('GENERATOR_INVALID', `id ${describeId(id)} exists; behavior must be merge or replace`, {
        field: 'behavior',
      });
    }
    const { origin } = resource;
    inheritMetadata(resource, old);
    // What is replaced comes from its new generator; what is merged from the one that made it first.
    if (resource.behavior === 'replace') resource.origin = origin;
    if (resource.behavior === 'merge') {
      resource.setData('data', new Map([...old.data('data'), ...resource.data('data')]));
      resource.setData('binaryData', new Map([...old.data('binaryData'), ...resource.data('binaryData')]));
    }
    resource.behavior = old.behavior;
    this.resources[this.resources.indexOf(old)] = resource;
  }
}

function inheritMetadata(resource: Resource, old: Resource): void {
  resource.setLabels(new Map([...old.labels(), ...resource.labels()]));
  resource.setAnnotations(new Map([...old.annotations(), ...resource.annotations()]));
  resource.name = old.name;
  resource.namespace = old.namespace;
  resource.needsHash &&= old.needsHash;
  resource.takeHistory(old);
}
