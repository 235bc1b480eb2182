/** Owns the environment of a container: services, envFrom, env, in Kubernetes' order of precedence. */
import { AppError } from '@kfctl/core';
import type { ConfigMap, SecretObject, Service } from '@kfctl/kube';
import { expandVariables } from './expand-variables.ts';
import { fieldValue, resourceValue } from './field-value.ts';
import type { PodAddresses } from './field-value.ts';
import type { ContainerSpec, EnvFrom, EnvVar, KeySelector, LocalPod } from './pod-spec.ts';

/** What the node knows of the pod's namespace. */
export interface NamespaceObjects {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): SecretObject | undefined;
  services(): readonly Service[];
}

export interface EnvironmentParts {
  readonly pod: LocalPod;
  readonly container: ContainerSpec;
  readonly addresses: PodAddresses;
  readonly objects: NamespaceObjects;
  /** What the platform itself sets: lowest precedence. */
  readonly base: Readonly<Record<string, string>>;
}

/** Throws `CONTAINER_CONFIG` when something that is referred to does not exist. */
export function buildEnvironment(parts: EnvironmentParts): Map<string, string> {
  const { pod, container, objects } = parts;
  const values = new Map<string, string>();
  if (pod.spec.enableServiceLinks !== false) addServices(values, objects.services());
  for (const [name, value] of Object.entries(parts.base)) values.set(name, value);
  for (const source of container.envFrom ?? []) addAll(values, source, objects);
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, values, parts);
    if (value !== undefined) values.set(variable.name, value);
  }
  return values;
}

/** The variables that Docker links once had and Kubernetes kept: `DEX_SERVICE_HOST`, `DEX_SERVICE_PORT_HTTP`, `DEX_PORT` … */
function addServices(values: Map<string, string>, services: readonly Service[]): void {
  for (const service of services) {
    const { clusterIP, ports = [] } = service.spec ?? {};
    const [first] = ports;
    if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None' || first === undefined) continue;
    const prefix = (service.metadata.name ?? '').toUpperCase().replaceAll('-', '_');
    const address = (port: number, protocol: string): string => `${protocol.toLowerCase()}://${clusterIP}:${port}`;
    values.set(`${prefix}_SERVICE_HOST`, clusterIP);
    values.set(`${prefix}_SERVICE_PORT`, String(first.port));
    values.set(`${prefix}_PORT`, address(first.port, first.protocol ?? 'TCP'));
    for (const { name, port, protocol = 'TCP' } of ports) {
      if (name) values.set(`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll('-', '_')}`, String(port));
      const link = `${prefix}_PORT_${port}_${protocol}`;
      values.set(link, address(port, protocol));
      values.set(`${link}_PROTO`, protocol.toLowerCase());
      values.set(`${link}_PORT`, String(port));
      values.set(`${link}_ADDR`, clusterIP);
    }
  }
}

function addAll(values: Map<string, string>, source: EnvFrom, objects: NamespaceObjects): void {
  const { prefix = '', configMapRef, secretRef } = source;
  for (const [kind, ref] of [
    ['configmap', configMapRef],
    ['secret', secretRef],
  ] as const) {
    if (ref === undefined) continue;
    const entries = entriesOf(kind, ref.name ?? '', objects);
    if (entries === undefined && ref.optional !== true) throw missing(kind, ref.name);
    for (const [key, value] of Object.entries(entries ?? {})) values.set(prefix + key, value);
  }
}

function entriesOf(
  kind: 'configmap' | 'secret',
  name: string,
  objects: NamespaceObjects,
): Record<string, string> | undefined {
  if (kind === 'configmap') {
    const found = objects.configMap(name);
    return found === undefined ? undefined : (found.data ?? {});
  }
  const found = objects.secret(name);
  if (found === undefined) return undefined;
  return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, decode(value)]));
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function valueOf(variable: EnvVar, known: ReadonlyMap<string, string>, parts: EnvironmentParts): string | undefined {
  const { valueFrom } = variable;
  if (valueFrom === undefined) return expandVariables(variable.value ?? '', known);
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom;
  if (fieldRef !== undefined) return fieldValue(parts.pod, fieldRef, parts.addresses);
  if (resourceFieldRef !== undefined)
    return resourceValue(containerOf(parts, resourceFieldRef.containerName), resourceFieldRef);
  if (configMapKeyRef !== undefined) return keyOf('configmap', configMapKeyRef, parts.objects);
  return secretKeyRef === undefined ? undefined : keyOf('secret', secretKeyRef, parts.objects);
}

function containerOf({ pod, container }: EnvironmentParts, name: string | undefined): ContainerSpec {
  if (name === undefined || name === '') return container;
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((other) => other.name === name) ?? container;
}

function keyOf(kind: 'configmap' | 'secret', ref: KeySelector, objects: NamespaceObjects): string | undefined {
  const entries = entriesOf(kind, ref.name ?? '', objects);
  const value = entries !== undefined && Object.hasOwn(entries, ref.key) ? entries[ref.key] : undefined;
  if (value !== undefined || ref.optional === true) return value;
  if (entries === undefined) throw missing(kind, ref.name);
  throw new AppError('CONTAINER_CONFIG', `couldn't find key ${ref.key} in ${kind} ${ref.name ?? ''}`);
}

function missing(kind: string, name: string | undefined): AppError {
  return new AppError('CONTAINER_CONFIG', `${kind} "${name ?? ''}" not found`);
}
