/** Owns edits of `staticPasswords` in the text of a dex configuration; comments and everything else stay. */
import { isMap, isSeq, parseDocument, YAMLSeq } from 'yaml';
import type { Document, YAMLMap } from 'yaml';
import { kfctlError } from '../errors.ts';
import { renderDocument } from '../kfdef/edit-document.ts';

export interface DexUser {
  readonly email: string;
  readonly username: string;
  readonly groups: readonly string[];
  /** True for the user whose hash is in a Secret: kfctl apply made it. */
  readonly installing: boolean;
}

export interface NewUser {
  readonly email: string;
  readonly username: string;
  readonly userId: string;
  readonly hash: string;
  readonly groups: readonly string[];
}

export function listUsers(text: string): DexUser[] {
  return entriesOf(parse(text)).map((entry) => {
    const groups = entry.get('groups');
    return {
      email: String(entry.get('email') ?? ''),
      username: String(entry.get('username') ?? ''),
      groups: isSeq(groups) ? (groups.toJSON() as unknown[]).map(String) : [],
      installing: entry.has('hashFromEnv'),
    };
  });
}

/** Throws `USER_EXISTS` when the e-mail is there in any case of letters. */
export function addUser(text: string, { email, hash, username, userId, groups }: NewUser): string {
  const document = parse(text);
  if (find(document, email) !== undefined) {
    throw kfctlError('USER_EXISTS', `${email} is already a user`, {
      hint: `To give a new password: kfctl users remove ${email}, then add it again.`,
    });
  }
  const node = document.createNode({ email, hash, username, userID: userId, ...(groups.length > 0 ? { groups } : {}) });
  const list = document.get('staticPasswords');
  if (isSeq(list)) list.add(node);
  else {
    const made = new YAMLSeq();
    made.add(node);
    document.set('staticPasswords', made);
  }
  return renderDocument(document, text);
}

/** Throws `USER_NOT_FOUND`, or `USER_DIFFERS` for the installing user. */
export function removeUser(text: string, email: string): string {
  const document = parse(text);
  const entry = find(document, email);
  if (entry === undefined) {
    throw kfctlError('USER_NOT_FOUND', `${email} is no user`, { hint: 'See who is: kfctl users list' });
  }
  if (entry.has('hashFromEnv')) {
    throw kfctlError('USER_DIFFERS', `${email} is the installing user, whose password kfctl apply keeps in a Secret`, {
      hint: 'A new password: KUBEFLOW_PASSWORD=... kfctl rotate password. Another user: change static_email in app.yaml.',
    });
  }
  const list = document.get('staticPasswords');
  if (isSeq(list)) list.items = list.items.filter((item) => item !== entry);
  return renderDocument(document, text);
}

function parse(text: string): Document.Parsed {
  const document = parseDocument(text);
  if (document.errors.length === 0 && isMap(document.contents)) return document;
  throw kfctlError('DEX_CONFIG_INVALID', 'the configuration of dex in the cluster is not a YAML map', {
    hint: 'Correct it: kubectl -n kubeflow edit configmap dex',
  });
}

function entriesOf(document: Document.Parsed): YAMLMap[] {
  const list = document.get('staticPasswords');
  return isSeq(list) ? list.items.filter((item): item is YAMLMap => isMap(item)) : [];
}

function find(document: Document.Parsed, email: string): YAMLMap | undefined {
  return entriesOf(document).find((entry) => String(entry.get('email')).toLowerCase() === email.toLowerCase());
}
