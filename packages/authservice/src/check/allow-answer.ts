/** Owns how a gateway is told that a request may pass and what happens to its headers. */
import { ASSERTION_HEADER } from '@kfctl/oidc';
import type { Credentials, HeaderEdits } from '@kfctl/oidc';
import { renderFields } from '../server/answer.ts';
import type { Answer } from '../server/answer.ts';

/** Envoy's way to take headers of the client away (ext_authz over HTTP); our gateway keeps it too. Applied after headers are set. */
const REMOVE = 'x-envoy-auth-headers-to-remove';

export interface AllowOptions {
  readonly groupsHeader: string;
  /**
   * Whether the gateway copies the groups header of our answers. Where it does not (the EnvoyFilter of Kubeflow 0.7 to 1.6 copies the
   * user id alone), the client's own would pass: it has to be removed, even from somebody who has groups.
   */
  readonly gatewayCopiesGroups: boolean;
}

/** The headers that tell a gateway of edits. */
export type RenderEdits = (edits: HeaderEdits) => readonly string[];

/** For gateways that ask about each request as it is. */
export function createRenderEdits({ groupsHeader, gatewayCopiesGroups }: AllowOptions): RenderEdits {
  return ({ set, remove }) => {
    const removed = gatewayCopiesGroups || remove.includes(groupsHeader) ? remove : [...remove, groupsHeader];
    return [...set, REMOVE, removed.join(',')];
  };
}

/** To Envoy nothing but 200 is leave to pass. */
export function allowAnswer(headers: readonly string[]): Answer {
  return { status: 200, headers, fields: renderFields(headers) };
}

/** The same answer for one request, with the proof of it. */
export function provenAnswer(answer: Answer, proof: string): Answer {
  return new ProvenAnswer(answer, proof);
}

/** Most are written as they are, and never looked at header by header. */
class ProvenAnswer implements Answer {
  readonly status: number;
  readonly fields: string;
  readonly #answer: Answer;
  readonly #proof: string;

  constructor(answer: Answer, proof: string) {
    this.status = answer.status;
    this.fields = `${answer.fields ?? renderFields(answer.headers)}${ASSERTION_HEADER}: ${proof}\r\n`;
    this.#answer = answer;
    this.#proof = proof;
  }

  get headers(): readonly string[] {
    return [...this.#answer.headers, ASSERTION_HEADER, this.#proof];
  }
}

/** Headers that may carry a token of ours, or something that is the application's own business. */
const CREDENTIALS = ['cookie', 'authorization', 'x-auth-token'] as const;

/**
 * 204 for proxies that know yes and no. They take the headers of the answer that they are told to, none where it has none: so it has the
 * client's credentials too when they are all to pass.
 */
export function verifiedAnswer({ set, remove }: HeaderEdits, credentials: Credentials): Answer {
  const headers = [...set];
  for (const name of CREDENTIALS) {
    const value = credentials[name];
    const isSet = set.some((field, index) => index % 2 === 0 && field === name);
    if (typeof value === 'string' && !isSet && !remove.includes(name)) headers.push(name, value);
  }
  headers.push(REMOVE, remove.join(','));
  return { status: 204, headers };
}
