/** Owns the js-yaml schema that types scalars as Kubernetes does. */
import type * as JsYaml from 'js-yaml';
import { parseFloatScalar, parseInteger, parseWord } from './scalar-types.ts';

/** The schema, built from the library that the caller has loaded. */
export function kubernetesSchema(yaml: typeof JsYaml): JsYaml.Schema {
  const { defineScalarTag, NOT_RESOLVED } = yaml;
  const scalar = (name: string, read: (source: string) => unknown): JsYaml.ScalarTagDefinition =>
    defineScalarTag<unknown>(`tag:yaml.org,2002:${name}`, {
      implicit: true,
      resolve: (source) => {
        const value = read(source);
        return value === undefined ? NOT_RESOLVED : value;
      },
      identify: () => false,
    });
  const word = (source: string, isNull: boolean): boolean | null | undefined => {
    const value = parseWord(source);
    return (value === null) === isNull ? value : undefined;
  };
  const load = [
    scalar('null', (source) => word(source, true)),
    scalar('bool', (source) => word(source, false)),
    scalar('int', parseInteger),
    scalar('float', parseFloatScalar),
    // Bytes in a manifest become text, as they do in the API server's reader.
    defineScalarTag<string>('tag:yaml.org,2002:binary', {
      resolve: (source) => Buffer.from(source.replaceAll(/\s/g, ''), 'base64').toString('utf8'),
      identify: () => false,
    }),
    defineScalarTag<string>('tag:yaml.org,2002:timestamp', { resolve: (source) => source, identify: () => false }),
  ];
  return yaml.FAILSAFE_SCHEMA.withTags(yaml.mergeTag, ...load);
}
