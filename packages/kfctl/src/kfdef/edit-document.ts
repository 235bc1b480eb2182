/** Owns edits of a person's KfDef file: comments, order and style of everything else stay as they were. */
import { isMap, isSeq, Scalar } from 'yaml';
import type { Document, YAMLMap } from 'yaml';

/** Sets `metadata.name`. */
export function setName(document: Document.Parsed, name: string): void {
  if (!document.hasIn(['metadata'])) document.setIn(['metadata'], document.createNode({ name }));
  else document.setIn(['metadata', 'name'], name);
}

/** Sets one parameter of one application, adding what is missing on the way. */
export function setParameter(
  document: Document.Parsed,
  application: string,
  parameter: { readonly name: string; readonly value: string },
): void {
  const applications = document.getIn(['spec', 'applications'], true);
  const found = isSeq(applications)
    ? applications.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === application)
    : undefined;
  if (found === undefined) return;
  const parameters = found.getIn(['kustomizeConfig', 'parameters'], true);
  const present = isSeq(parameters)
    ? parameters.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === parameter.name)
    : undefined;
  if (present !== undefined) present.set('value', quoted(parameter.value));
  else if (isSeq(parameters))
    parameters.add(document.createNode({ name: parameter.name, value: quoted(parameter.value) }));
  else {
    const list = document.createNode([{ name: parameter.name, value: quoted(parameter.value) }]);
    found.setIn(['kustomizeConfig', 'parameters'], list);
  }
}

/** Makes the relative paths of `spec.repos` absolute, because the file moves. */
export function setRepoPaths(document: Document.Parsed, repos: ReadonlyMap<string, string>): void {
  const list = document.getIn(['spec', 'repos'], true);
  if (!isSeq(list)) return;
  for (const item of list.items) {
    const directory = isMap(item) ? repos.get(String(item.get('name'))) : undefined;
    if (isMap(item) && directory !== undefined) item.set('uri', directory);
  }
}

/** The text of an edited document, in the list style of the original text. */
export function renderDocument(document: Document.Parsed, original: string): string {
  const flush = /^( *)[^\s#-][^\n]*:[ ]*\n(?:[ ]*#[^\n]*\n)*\1- /m.test(original);
  return document.toString({ lineWidth: 0, indentSeq: !flush });
}

// Readers of YAML 1.1 take yes, on and 0x1f for something else; quotes leave no doubt.
function quoted(value: string): Scalar<string> | string {
  if (/^[A-Za-z][\w./:@+-]*$/.test(value) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(value)) return value;
  const scalar = new Scalar(value);
  scalar.type = 'QUOTE_DOUBLE';
  return scalar;
}
