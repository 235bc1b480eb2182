/** Owns the syntax of names, labels and the like, with the texts that the API uses. */

const LABEL_NAME = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL_NAME}(\\.${LABEL_NAME})*`;
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;
const DNS_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

const RULES = {
  label: whole(LABEL_NAME),
  subdomain: whole(SUBDOMAIN),
  qualified: whole(QUALIFIED),
  value: whole(LABEL_VALUE),
  dns1035: whole(DNS_1035),
};

function tooLong(limit: number): string {
  return `must be no more than ${limit} characters`;
}

function regexError(message: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}'`).join(',  or ');
  return `${message} (e.g. ${shown}, regex used for validation is '${pattern}')`;
}

/** RFC 1123 subdomain, at most 253. Each check gives the mistakes found; none means right. */
export function subdomainErrors(name: string): string[] {
  const errors = name.length > 253 ? [tooLong(253)] : [];
  if (RULES.subdomain.test(name)) return errors;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, SUBDOMAIN, 'example.com')];
}

/** RFC 1123 label, at most 63. */
export function labelErrors(name: string): string[] {
  const errors = name.length > 63 ? [tooLong(63)] : [];
  if (RULES.label.test(name)) return errors;
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, LABEL_NAME, 'my-name', '123-abc')];
}

/** RFC 1035 label, at most 63: names of Services. */
export function dns1035Errors(name: string): string[] {
  const errors = name.length > 63 ? [tooLong(63)] : [];
  if (RULES.dns1035.test(name)) return errors;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...errors, regexError(message, DNS_1035, 'my-name', 'abc-123')];
}

/** A name that may stand as one segment of a path: RBAC objects. */
export function pathSegmentErrors(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%']
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
}

/** `prefix/name` of labels, annotations and finalizers. */
export function qualifiedNameErrors(text: string): string[] {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  const errors: string[] = [];
  if (parts.length > 2) {
    const message =
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    return [
      `${regexError(message, QUALIFIED, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...subdomainErrors(prefix).map((error) => `prefix part ${error}`));
  }
  if (name === '') return [...errors, 'name part must be non-empty', qualifiedPart()];
  if (name.length > 63) errors.push(`name part ${tooLong(63)}`);
  if (!RULES.qualified.test(name)) errors.push(qualifiedPart());
  return errors;
}

function qualifiedPart(): string {
  const message =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return regexError(message, QUALIFIED, 'MyName', 'my.name', '123-abc');
}

export function labelValueErrors(value: string): string[] {
  const errors = value.length > 63 ? [tooLong(63)] : [];
  if (RULES.value.test(value)) return errors;
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, LABEL_VALUE, 'MyValue', 'my_value', '12345')];
}

/** Keys of ConfigMaps and Secrets. */
export function dataKeyErrors(key: string): string[] {
  const errors = key.length > 253 ? [tooLong(253)] : [];
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    errors.push(regexError(message, '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name'));
  }
  if (key === '.' || key === '..') errors.push(`must not be '${key}'`);
  else if (key.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}
