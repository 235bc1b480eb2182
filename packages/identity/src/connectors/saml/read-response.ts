/**
 * Owns the judgement of a SAML response (SAML Core, SAML Bindings §3.5, SAML Profiles §4.1.4): which part of it is proven, whether
 * it is for us, for this login and for now. What is believed is read from proven bytes alone.
 *
 *   document ──► one assertion, no two alike IDs ──► signature of response or assertion ──► conditions, subject ──► person
 */
import { parseXml, XmlRefused } from './parse-xml.ts';
import { DSIG, verifyEnveloped } from './xml-signature.ts';
import type { SignaturePolicy } from './xml-signature.ts';
import { attributeOf, childrenOf, descendantsOf, elementsOf, isNamed, textOf } from './xml-tree.ts';
import type { XmlElement, XmlName } from './xml-tree.ts';

export interface ResponseRules {
  /** Undefined believes without proof; for tests of an identity provider alone. */
  readonly signature: SignaturePolicy | undefined;
  /** Where the response had to be sent: our callback. */
  readonly destination: string;
  readonly audience: string;
  /** The identity provider's name; empty accepts any that signs. */
  readonly issuer: string;
  /** The ID of the request that this browser was sent with. */
  readonly requestId: string;
  readonly nowMs: number;
}

/** What a good response says. */
export interface Assertion {
  readonly nameId: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export type ResponseVerdict =
  | { readonly kind: 'good'; readonly assertion: Assertion }
  /** The reason is for the log. */
  | { readonly kind: 'refused'; readonly reason: string };

const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol';
const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion';
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const DRIFT_MS = 30_000;

class Refusal extends Error {}

export function readResponse(bytes: Uint8Array, rules: ResponseRules): ResponseVerdict {
  try {
    const response = parseXml(bytes);
    if (!isNamed(response, protocol('Response'))) throw new Refusal('not a SAML response');
    requireOrderlyShape(response);
    requireEnvelope(response, rules);
    return { kind: 'good', assertion: judgeAssertion(proven(response, rules), rules) };
  } catch (error) {
    if (error instanceof Refusal || error instanceof XmlRefused) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

const protocol = (name: string): XmlName => ({ namespace: PROTOCOL, name });
const assertion = (name: string): XmlName => ({ namespace: ASSERTION, name });

/** Whatever signature wrapping needs is refused before any signature is looked at: a second assertion, a second signature, an ID twice. */
function requireOrderlyShape(response: XmlElement): void {
  const all = descendantsOf(response);
  const ids = all.flatMap(({ attributes }) =>
    attributes.filter(({ name }) => /^id$/i.test(name)).map((one) => one.value),
  );
  if (new Set(ids).size !== ids.length) throw new Refusal('an ID is used twice');
  if (all.some((one) => one.name.startsWith('Encrypted')))
    throw new Refusal('encrypted content is not supported: turn encryption off for this service provider');
  const assertions = all.filter(({ name }) => name === 'Assertion');
  const status = statusOf(response);
  if (status !== undefined) throw new Refusal(`the identity provider answered ${status}`);
  const [only] = childrenOf(response, assertion('Assertion'));
  if (assertions.length !== 1 || assertions[0] !== only) throw new Refusal('not exactly one assertion in the response');
  for (const signature of all.filter(({ name }) => name === 'Signature')) {
    const place = signature.parent;
    const among = place === undefined ? [] : childrenOf(place, { namespace: DSIG, name: 'Signature' });
    if ((place !== response && place !== only) || among.length !== 1)
      throw new Refusal('a signature where none belongs');
  }
}

/** Undefined for success, otherwise the codes and the message. */
function statusOf(response: XmlElement): string | undefined {
  const status = the(response, protocol('Status'));
  const code = the(status, protocol('StatusCode'));
  if (attributeOf(code, 'Value') === SUCCESS) return undefined;
  const inner = childrenOf(code, protocol('StatusCode')).map((one) => attributeOf(one, 'Value'));
  const message = childrenOf(status, protocol('StatusMessage')).map((one) => textOf(one));
  return printable([attributeOf(code, 'Value'), ...inner, ...message].join(' '));
}

function requireEnvelope(response: XmlElement, { destination, requestId, issuer }: ResponseRules): void {
  if (attributeOf(response, 'Version') !== '2.0') throw new Refusal('not SAML 2.0');
  const sentTo = attributeOf(response, 'Destination');
  if (sentTo !== undefined && sentTo !== destination)
    throw new Refusal(`the response was sent to ${printable(sentTo)}`);
  if (attributeOf(response, 'InResponseTo') !== requestId) throw new Refusal('the response answers another request');
  const [named] = childrenOf(response, assertion('Issuer'));
  if (issuer !== '' && named !== undefined && textOf(named) !== issuer)
    throw new Refusal('the response has another issuer');
}

/** The assertion out of the signed bytes: a signed response vouches for its assertion, a signed assertion for itself. */
function proven(response: XmlElement, { signature }: ResponseRules): XmlElement {
  const inside = the(response, assertion('Assertion'));
  if (signature === undefined) return inside;
  const signed = [response, inside].filter((one) => childrenOf(one, { namespace: DSIG, name: 'Signature' }).length > 0);
  if (signed.length === 0) throw new Refusal('neither the response nor the assertion is signed');
  const elements = signed.map((one) => {
    const verdict = verifyEnveloped(one, signature);
    if (verdict.kind === 'refused') throw new Refusal(verdict.reason);
    return verdict.element;
  });
  const [first] = elements;
  if (first === undefined) throw new Refusal('nothing is signed');
  return signed[0] === response ? the(first, assertion('Assertion')) : first;
}

function judgeAssertion(element: XmlElement, rules: ResponseRules): Assertion {
  if (!isNamed(element, assertion('Assertion'))) throw new Refusal('what is signed is no assertion');
  if (attributeOf(element, 'Version') !== '2.0') throw new Refusal('not a SAML 2.0 assertion');
  const issuer = requireText(the(element, assertion('Issuer')));
  if (rules.issuer !== '' && issuer !== rules.issuer) throw new Refusal(`the issuer is ${printable(issuer)}`);
  requireConditions(the(element, assertion('Conditions')), rules);
  requireLiveSession(element, rules);
  const subject = the(element, assertion('Subject'));
  requireConfirmation(subject, rules);
  return { nameId: requireText(the(subject, assertion('NameID'))), attributes: attributesOf(element) };
}

/** SAML Core §2.5: every condition must hold, and one that is not understood does not. */
function requireConditions(conditions: XmlElement, { audience, nowMs }: ResponseRules): void {
  requireNow(conditions, nowMs);
  const understood = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'];
  const strange = elementsOf(conditions).find((one) => !understood.some((name) => isNamed(one, assertion(name))));
  if (strange !== undefined) throw new Refusal(`condition ${printable(strange.name)} is not understood`);
  const restrictions = childrenOf(conditions, assertion('AudienceRestriction'));
  const forUs = restrictions.every((one) =>
    childrenOf(one, assertion('Audience')).some((named) => textOf(named)?.trim() === audience),
  );
  if (restrictions.length === 0 || !forUs) throw new Refusal(`the assertion is not for the audience ${audience}`);
}

/** SAML Profiles §4.1.4.2: at least one statement that somebody logged in, in a session that goes on. */
function requireLiveSession(element: XmlElement, { nowMs }: ResponseRules): void {
  const statements = childrenOf(element, assertion('AuthnStatement'));
  if (statements.length === 0) throw new Refusal('the assertion does not say that anybody logged in');
  for (const statement of statements) {
    const end = timeOf(statement, 'SessionNotOnOrAfter');
    if (end !== undefined && end + DRIFT_MS <= nowMs)
      throw new Refusal('the session at the identity provider has ended');
  }
}

/** SAML Profiles §4.1.4.2 and §4.1.4.3: a bearer confirmation for our address, this request and now. */
function requireConfirmation(subject: XmlElement, rules: ResponseRules): void {
  const reasons: string[] = [];
  for (const confirmation of childrenOf(subject, assertion('SubjectConfirmation'))) {
    if (attributeOf(confirmation, 'Method') !== BEARER) continue;
    const data = the(confirmation, assertion('SubjectConfirmationData'));
    const problem = judgeConfirmation(data, rules);
    if (problem === undefined) return;
    reasons.push(problem);
  }
  throw new Refusal(reasons[0] ?? 'the subject has no bearer confirmation');
}

function judgeConfirmation(data: XmlElement, { destination, requestId, nowMs }: ResponseRules): string | undefined {
  const recipient = attributeOf(data, 'Recipient') ?? '';
  if (recipient !== destination) return `the recipient is ${printable(recipient)}`;
  if (attributeOf(data, 'InResponseTo') !== requestId) return 'the assertion answers another request';
  if (timeOf(data, 'NotOnOrAfter') === undefined) return 'the confirmation has no end';
  return outsideOf(data, nowMs);
}

function requireNow(element: XmlElement, nowMs: number): void {
  const problem = outsideOf(element, nowMs);
  if (problem !== undefined) throw new Refusal(problem);
}

function outsideOf(element: XmlElement, nowMs: number): string | undefined {
  const start = timeOf(element, 'NotBefore');
  const end = timeOf(element, 'NotOnOrAfter');
  if (start !== undefined && nowMs + DRIFT_MS < start) return `valid only from ${new Date(start).toISOString()}`;
  if (end !== undefined && end + DRIFT_MS <= nowMs) return `expired at ${new Date(end).toISOString()}`;
  return undefined;
}

/** SAML Core §1.3.3: UTC; a time that cannot be read refuses the whole. */
function timeOf(element: XmlElement, name: string): number | undefined {
  const text = attributeOf(element, name);
  if (text === undefined) return undefined;
  const wellFormed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = wellFormed ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new Refusal(`${name} is no time`);
  return ms;
}

function attributesOf(element: XmlElement): Assertion['attributes'] {
  const attributes = new Map<string, readonly string[]>();
  const all = childrenOf(element, assertion('AttributeStatement')).flatMap((one) =>
    childrenOf(one, assertion('Attribute')),
  );
  for (const attribute of all) {
    const name = attributeOf(attribute, 'Name') ?? '';
    const values = childrenOf(attribute, assertion('AttributeValue')).map((value) => textOf(value) ?? '');
    attributes.set(name, [...(attributes.get(name) ?? []), ...values.map((value) => value.trim())]);
  }
  return attributes;
}

function the(parent: XmlElement, name: XmlName): XmlElement {
  const [child, ...more] = childrenOf(parent, name);
  if (child === undefined || more.length > 0) throw new Refusal(`not exactly one ${name.name} in ${parent.name}`);
  return child;
}

function requireText(element: XmlElement): string {
  const text = textOf(element)?.trim() ?? '';
  if (text === '') throw new Refusal(`${element.name} holds no text`);
  return text;
}

function printable(text: string): string {
  return text.slice(0, 300).replaceAll(/[^\x20-\x7e]/g, '?');
}
