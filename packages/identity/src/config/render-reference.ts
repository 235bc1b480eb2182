/** Owns the reference of the configuration file: every key out of the schemas that read it, so that it cannot say anything else. */
import { CONNECTOR_TYPES } from '../connectors/registry.ts';
import { connectorEnvelope } from './connector-section.ts';
import { documentSchema } from './parse-config.ts';
import type { Shape } from './shape.ts';
import { STORAGE_SCHEMAS } from './storage-section.ts';

const INTRODUCTION = `# Configuration of the identity provider

Made from the program by \`identity reference\`; a test compares the two. The file is Dex's: YAML, keys in any case, durations as Go
writes them (\`24h\`, \`5m\`, \`1h30m\`). Unknown keys are warnings, and mistakes in \`connectors[].config\`;
\`DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS\` (\`true\`, \`false\`) makes all one or the other. In \`storage.config\` and \`connectors[].config\` \`$VAR\` and
\`\${VAR}\` are replaced from the environment, unless \`DEX_EXPAND_ENV=false\`. A change of the file takes effect within a second or two
([what happens then](../guides/users-and-ldap.md)); \`issuer\`, \`storage\`, \`telemetry\`, \`grpc\`, \`logger\` and the listeners of
\`web\` need a restart. \`identity check FILE\` names every mistake with its line.`;

/** Markdown. Loads every connector. */
export async function renderReference(): Promise<string> {
  const top = Object.entries(documentSchema.fields ?? {});
  const plain = top.filter(([, { fields }]) => fields === undefined);
  const parts = [INTRODUCTION, table(plain.flatMap(([name, shape]) => rowsOf(name, shape)))];
  for (const [name, shape] of top) {
    if (shape.fields !== undefined) parts.push(...section(`## ${name}`, name, shape));
    if (name === 'storage')
      parts.push(...Object.entries(STORAGE_SCHEMAS).flatMap(([type, inner]) => storage(type, inner)));
  }
  parts.push(...section('## connectors', 'connectors[]', connectorEnvelope));
  for (const [type, load] of Object.entries(CONNECTOR_TYPES)) {
    const { schema } = await load();
    // An alias is named, not repeated.
    if ((await load()).type !== type) parts.push(`### \`type: ${type}\``, `The same as \`${(await load()).type}\`.`);
    else parts.push(...section(`### \`type: ${type}\``, 'config', schema));
  }
  return `${parts.join('\n\n')}\n`;
}

function storage(type: string, schema: Shape<unknown>): readonly string[] {
  return section(`### \`type: ${type}\``, 'config', schema);
}

function section(heading: string, path: string, shape: Shape<unknown>): readonly string[] {
  const rows = Object.entries(shape.fields ?? {}).flatMap(([name, inner]) =>
    rowsOf(`${prefixOf(path, shape)}${name}`, inner),
  );
  return [heading, shape.summary, ...(rows.length === 0 ? [] : [table(rows)])];
}

// The list itself is in the heading; its keys are those of one item.
function prefixOf(path: string, { kind }: Shape<unknown>): string {
  return kind.startsWith('list of') ? `${path}[].` : `${path}.`;
}

function rowsOf(path: string, shape: Shape<unknown>): readonly string[] {
  const { fields, kind, summary, fallback, required = false } = shape;
  if (fields !== undefined) {
    return Object.entries(fields).flatMap(([name, inner]) => rowsOf(`${prefixOf(path, shape)}${name}`, inner));
  }
  const shown = required ? '**required**' : fallback === undefined || fallback === '' ? '' : `\`${fallback}\``;
  return [`| \`${path}\` | ${cell(kind)} | ${cell(shown)} | ${cell(summary)} |`];
}

function table(rows: readonly string[]): string {
  return ['| key | kind | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
