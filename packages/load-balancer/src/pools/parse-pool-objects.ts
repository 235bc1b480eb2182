/** Owns reading of IPAddressPool and L2Advertisement objects; strict, and every mistake is told at once on its object. */
import { compareText } from '@kfctl/core';
import type { KubeObject, LabelSelector } from '@kfctl/kube';
import { blocksOverlap, parseBlock } from '../address/block.ts';
import type { Block } from '../address/block.ts';
import type { Advertisement, ConfigOutcome, Mistake, NodePreference, PoolObject } from './configuration.ts';
import { matchesAny, parseLabelSelector } from './label-selector.ts';
import type { Problem } from './parse-pool-config.ts';
import type { Pool, PoolAllocation } from './pool.ts';

type Fields = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];
type Tell = (path: Path, message: string) => void;

const POOL_FIELDS = ['addresses', 'autoAssign', 'avoidBuggyIPs', 'serviceAllocation'];
const ALLOCATION_FIELDS = ['priority', 'namespaces', 'namespaceSelectors', 'serviceSelectors'];
const ADVERTISEMENT_FIELDS = [
  'ipAddressPools',
  'ipAddressPoolSelectors',
  'nodeSelectors',
  'interfaces',
  'serviceSelectors',
  'preferredNodeSelectors',
];
const PREFERENCE_FIELDS = ['weight', 'preference'];

export function parsePoolObjects(pools: readonly PoolObject[], advertisements: readonly PoolObject[]): ConfigOutcome {
  const mistakes: Mistake[] = [];
  const read = <T>(object: PoolObject, parse: (spec: Fields, tell: Tell) => T): T => {
    const problems: Problem[] = [];
    const tell: Tell = (path, message) => void problems.push({ path: ['spec', ...path], message });
    const result = parse(asFields(object.spec) ?? {}, tell);
    if (problems.length > 0) mistakes.push({ object, problems });
    return result;
  };
  const byName = [...pools].toSorted((left, right) => compareText(nameOf(left), nameOf(right)));
  const seen: { readonly block: Block; readonly pool: string }[] = [];
  const parsed = byName.map((object) => read(object, (spec, tell) => readPool({ object, spec, seen, tell })));
  const adverts = advertisements.map((object) =>
    read(object, (spec, tell) => readAdvertisement({ object, spec, pools: byName, tell })),
  );
  return mistakes.length > 0
    ? { kind: 'invalid', mistakes }
    : { kind: 'configuration', configuration: { pools: parsed, advertisements: adverts } };
}

interface PoolInput {
  readonly object: KubeObject;
  readonly spec: Fields;
  readonly seen: { readonly block: Block; readonly pool: string }[];
  readonly tell: Tell;
}

function readPool({ object, spec, seen, tell }: PoolInput): Pool {
  const name = nameOf(object);
  refuseUnknown(spec, { known: POOL_FIELDS, path: [] }, tell);
  const texts = readTexts(spec, 'addresses', tell);
  if (texts.length === 0) tell(['addresses'], 'pool has no prefixes defined');
  const blocks: Block[] = [];
  for (const [index, text] of texts.entries()) {
    const result = parseBlock(text);
    if (result.kind === 'invalid') {
      tell(['addresses', index], `${result.reason} in pool "${name}"`);
      continue;
    }
    const other = seen.find(({ block }) => blocksOverlap(block, result.block));
    if (other !== undefined)
      tell(['addresses', index], `CIDR "${text}" overlaps with CIDR "${other.block.text}" of pool "${other.pool}"`);
    seen.push({ block: result.block, pool: name });
    blocks.push(result.block);
  }
  const allocation =
    spec['serviceAllocation'] === undefined ? undefined : readAllocation(spec['serviceAllocation'], tell);
  return {
    name,
    protocol: 'layer2',
    blocks,
    autoAssign: readBoolean(spec, { name: 'autoAssign', fallback: true }, tell),
    avoidBuggyIps: readBoolean(spec, { name: 'avoidBuggyIPs', fallback: false }, tell),
    ...(allocation === undefined ? {} : { allocation }),
  };
}

function readAllocation(value: unknown, tell: Tell): PoolAllocation {
  const below: Tell = (path, message) => tell(['serviceAllocation', ...path], message);
  const fields = asFields(value);
  if (fields === undefined) below([], 'must be a mapping');
  const spec = fields ?? {};
  refuseUnknown(spec, { known: ALLOCATION_FIELDS, path: [] }, below);
  const priority = spec['priority'] ?? 0;
  if (typeof priority !== 'number' || !Number.isInteger(priority) || priority < 0)
    below(['priority'], 'must be a whole number, 0 or more');
  return {
    priority: typeof priority === 'number' ? priority : 0,
    namespaces: readTexts(spec, 'namespaces', below),
    namespaceSelectors: readSelectors(spec, 'namespaceSelectors', below),
    serviceSelectors: readSelectors(spec, 'serviceSelectors', below),
  };
}

interface AdvertisementInput {
  readonly object: KubeObject;
  readonly spec: Fields;
  readonly pools: readonly KubeObject[];
  readonly tell: Tell;
}

function readAdvertisement({ object, spec, pools, tell }: AdvertisementInput): Advertisement {
  refuseUnknown(spec, { known: ADVERTISEMENT_FIELDS, path: [] }, tell);
  const names = readTexts(spec, 'ipAddressPools', tell);
  for (const [index, name] of names.entries()) {
    if (!pools.some((pool) => nameOf(pool) === name))
      tell(['ipAddressPools', index], `there is no IPAddressPool "${name}"`);
  }
  const selectors = readSelectors(spec, 'ipAddressPoolSelectors', tell);
  const all = names.length === 0 && selectors.length === 0;
  const chosen = pools.filter(
    (pool) => all || names.includes(nameOf(pool)) || matchesAny(selectors, pool.metadata.labels ?? {}),
  );
  const interfaces = readTexts(spec, 'interfaces', tell);
  return {
    name: nameOf(object),
    pools: new Set(chosen.map(nameOf)),
    nodeSelectors: readSelectors(spec, 'nodeSelectors', tell),
    interfaces: interfaces.length === 0 ? undefined : interfaces,
    serviceSelectors: readSelectors(spec, 'serviceSelectors', tell),
    preferences: readPreferences(spec, tell),
  };
}

function readPreferences(spec: Fields, tell: Tell): readonly NodePreference[] {
  const name = 'preferredNodeSelectors';
  const value = spec[name] ?? [];
  if (!Array.isArray(value)) {
    tell([name], 'must be a list');
    return [];
  }
  return value.flatMap((item: unknown, index) => {
    const below: Tell = (path, message) => tell([name, index, ...path], message);
    const fields = asFields(item);
    if (fields === undefined) {
      below([], 'must be a mapping of weight and preference');
      return [];
    }
    refuseUnknown(fields, { known: PREFERENCE_FIELDS, path: [] }, below);
    const { weight, preference } = fields;
    const isWeight = typeof weight === 'number' && Number.isInteger(weight) && weight >= 1 && weight <= 100;
    if (!isWeight) below(['weight'], 'must be a whole number from 1 to 100');
    const selector = parseLabelSelector(preference);
    if (typeof selector === 'string') below(['preference'], selector);
    return isWeight && typeof selector !== 'string' ? [{ weight, selector }] : [];
  });
}

function readTexts(spec: Fields, name: string, tell: Tell): readonly string[] {
  const value = spec[name] ?? [];
  if (!Array.isArray(value)) {
    tell([name], 'must be a list');
    return [];
  }
  const texts: string[] = [];
  for (const [index, text] of value.entries()) {
    if (typeof text !== 'string' || text === '') tell([name, index], 'must be a text');
    else if (texts.includes(text)) tell([name, index], `"${text}" is listed twice`);
    else texts.push(text);
  }
  return texts;
}

function readSelectors(spec: Fields, name: string, tell: Tell): readonly LabelSelector[] {
  const value = spec[name] ?? [];
  if (!Array.isArray(value)) {
    tell([name], 'must be a list');
    return [];
  }
  return value.flatMap((item, index) => {
    const selector = parseLabelSelector(item);
    if (typeof selector !== 'string') return [selector];
    tell([name, index], selector);
    return [];
  });
}

function readBoolean(
  spec: Fields,
  { name, fallback }: { readonly name: string; readonly fallback: boolean },
  tell: Tell,
): boolean {
  const value = spec[name];
  if (value === undefined || typeof value === 'boolean') return value ?? fallback;
  tell([name], 'must be true or false');
  return fallback;
}

function refuseUnknown(
  spec: Fields,
  { known, path }: { readonly known: readonly string[]; readonly path: Path },
  tell: Tell,
): void {
  for (const key of Object.keys(spec))
    if (!known.includes(key)) tell([...path, key], `unknown field; known are ${known.join(', ')}`);
}

function nameOf(object: KubeObject): string {
  return object.metadata.name ?? '';
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
