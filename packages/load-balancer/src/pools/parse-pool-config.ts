/** Owns reading of the `config` key of MetalLB's ConfigMap; strict, and every mistake is told at once with its place. */
import { isAppError } from '@kfctl/core';
import { parseYaml } from '@kfctl/kube';
import { blocksOverlap, parseBlock } from '../address/block.ts';
import type { Block } from '../address/block.ts';
import type { Pool } from './pool.ts';

export interface Problem {
  /** `address-pools[0].addresses[1]`; empty for the text as a whole. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type ParsedConfig =
  | { readonly kind: 'pools'; readonly pools: readonly Pool[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

type Fields = Readonly<Record<string, unknown>>;
type Tell = (path: readonly (string | number)[], message: string) => void;

const TOP_KEYS = ['address-pools'];
const POOL_KEYS = ['name', 'protocol', 'addresses', 'avoid-buggy-ips', 'auto-assign'];
/** What stands for routing by BGP, which is another product's job. */
const BGP_KEYS = ['peers', 'bgp-communities', 'bgp-advertisements'];

/** An empty text is a configuration without pools. */
export function parsePoolConfig(text: string): ParsedConfig {
  const problems: Problem[] = [];
  const tell: Tell = (path, message) => void problems.push({ path, message });
  const value = readYaml(text, tell);
  const pools = value === undefined ? [] : readTop(value, tell);
  return problems.length === 0 ? { kind: 'pools', pools } : { kind: 'invalid', problems };
}

function readYaml(text: string, tell: Tell): unknown {
  try {
    return parseYaml(text, { source: 'config' }) ?? {};
  } catch (error) {
    if (!isAppError(error)) throw error;
    tell([], `could not parse config: ${error.message}`);
    return undefined;
  }
}

function readTop(value: unknown, tell: Tell): Pool[] {
  const fields = asFields(value);
  if (fields === undefined) {
    tell([], 'could not parse config: the top level is not a mapping');
    return [];
  }
  refuseUnknown(fields, { known: TOP_KEYS, path: [] }, tell);
  const list = fields['address-pools'] ?? [];
  if (!Array.isArray(list)) {
    tell(['address-pools'], 'must be a list');
    return [];
  }
  const seen: Seen = { names: new Set(), blocks: [] };
  return list.flatMap((item, index) => readPool(item, { path: ['address-pools', index], seen, tell }));
}

interface Seen {
  readonly names: Set<string>;
  readonly blocks: Block[];
}

interface Place {
  readonly path: readonly (string | number)[];
  readonly seen: Seen;
  readonly tell: Tell;
}

function readPool(value: unknown, { path, seen, tell }: Place): Pool[] {
  const fields = asFields(value);
  if (fields === undefined) {
    tell(path, 'an address pool must be a mapping');
    return [];
  }
  refuseUnknown(fields, { known: POOL_KEYS, path }, tell);
  const name = readName(fields, { path, seen, tell });
  const blocks = readBlocks(fields['addresses'], name, { path: [...path, 'addresses'], seen, tell });
  readProtocol(fields['protocol'], [...path, 'protocol'], tell);
  return [
    {
      name,
      protocol: 'layer2',
      blocks,
      autoAssign: readBoolean(fields, 'auto-assign', { fallback: true, path, tell }),
      avoidBuggyIps: readBoolean(fields, 'avoid-buggy-ips', { fallback: false, path, tell }),
    },
  ];
}

function readName(fields: Fields, { path, seen, tell }: Place): string {
  const name = fields['name'];
  if (typeof name !== 'string' || name === '') {
    tell(
      [...path, 'name'],
      name === undefined || name === '' ? 'missing pool name' : 'must be a text; put it in quotes',
    );
    return '';
  }
  if (seen.names.has(name)) tell([...path, 'name'], `duplicate definition of pool "${name}"`);
  seen.names.add(name);
  return name;
}

function readBlocks(value: unknown, pool: string, { path, seen, tell }: Place): Block[] {
  if (!Array.isArray(value) || value.length === 0) {
    tell(path, value === undefined || Array.isArray(value) ? 'pool has no prefixes defined' : 'must be a list');
    return [];
  }
  const blocks: Block[] = [];
  for (const [index, text] of value.entries()) {
    const parsed =
      typeof text === 'string' ? parseBlock(text) : ({ kind: 'invalid', reason: 'must be a CIDR or a range' } as const);
    if (parsed.kind === 'invalid') {
      tell([...path, index], `${parsed.reason} in pool "${pool}"`);
      continue;
    }
    const other = seen.blocks.find((block) => blocksOverlap(block, parsed.block));
    if (other !== undefined) {
      tell(
        [...path, index],
        `CIDR "${parsed.block.text}" in pool "${pool}" overlaps with already defined CIDR "${other.text}"`,
      );
    }
    seen.blocks.push(parsed.block);
    blocks.push(parsed.block);
  }
  return blocks;
}

function readProtocol(value: unknown, path: readonly (string | number)[], tell: Tell): void {
  if (value === 'layer2') return;
  if (value === undefined || value === '')
    tell(path, 'address pool is missing the protocol field; write protocol: layer2');
  else if (value === 'bgp') tell(path, 'protocol "bgp" is not supported; use layer2');
  else tell(path, `unknown protocol ${JSON.stringify(value)}`);
}

interface BooleanField {
  readonly fallback: boolean;
  readonly path: readonly (string | number)[];
  readonly tell: Tell;
}

function readBoolean(fields: Fields, name: string, { fallback, path, tell }: BooleanField): boolean {
  const value = fields[name];
  if (value === undefined || typeof value === 'boolean') return value ?? fallback;
  tell([...path, name], 'must be true or false');
  return fallback;
}

function refuseUnknown(
  fields: Fields,
  { known, path }: { readonly known: readonly string[]; readonly path: readonly (string | number)[] },
  tell: Tell,
): void {
  for (const key of Object.keys(fields)) {
    if (known.includes(key)) continue;
    tell(
      [...path, key],
      BGP_KEYS.includes(key)
        ? 'BGP is not supported; use protocol: layer2 without it'
        : `unknown field; known are ${known.join(', ')}`,
    );
  }
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
