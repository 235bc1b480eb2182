/**
 * Owns the book of what a provider has answered: each code and refresh token, and whether it was shown to the provider since.
 *
 *   code:    answered ──► sent ──► used           token:   answered ──► sent ──► used (its successor is answered)
 *
 * "sent" is what a kill leaves in doubt. `verify` holds a provider to the book: what was answered works, once; what was used never works
 * again; what is in doubt works once at most.
 */
import assert from 'node:assert/strict';
import { CONNECTORS } from './ledger-config.ts';

type Standing = 'answered' | 'sent' | 'used';

/** One less than a person may have of a client. */
const LOGINS_PER_CONNECTOR = 9;

export class TokenLedger {
  readonly #codes = new Map<string, Standing>();
  readonly #tokens = new Map<string, Standing>();
  readonly #idTokens: string[] = [];
  #logins = 0;

  /** How much has been verified so far, by standing; a suite that never leaves anything in doubt proves nothing. */
  readonly verified: Record<Standing, number> = { answered: 0, sent: 0, used: 0 };

  /** Logs in and redeems and refreshes until the provider is gone; `choose` gives numbers from 0 to 1. */
  async use(origin: string, { choose, isGone }: { choose(): number; isGone(): boolean }): Promise<void> {
    try {
      while (!isGone()) await this.#useOnce(origin, choose);
    } catch (error) {
      if (!isGone() || error instanceof assert.AssertionError) throw error;
    }
  }

  async #useOnce(origin: string, choose: () => number): Promise<void> {
    const code = await this.#logIn(origin);
    // Some codes wait for the next process.
    if (code === undefined || choose() < 0.3) return;
    let token = await this.#show(this.#codes, code, () => redeem(origin, code));
    for (let turns = Math.floor(choose() * 6); turns > 0; turns -= 1) {
      const current = token;
      token = await this.#show(this.#tokens, current, () => refresh(origin, current));
    }
  }

  async #logIn(origin: string): Promise<string | undefined> {
    const connector = Math.floor(this.#logins / LOGINS_PER_CONNECTOR);
    if (connector >= CONNECTORS) return undefined;
    this.#logins += 1;
    const query = 'client_id=app&redirect_uri=%2Fcb&response_type=code&scope=openid+offline_access&state=s';
    const first = await fetch(`${origin}/dex/auth/mock${connector}?${query}`, { redirect: 'manual' });
    const second = await fetch(new URL(first.headers.get('location') ?? '', origin), { redirect: 'manual' });
    const code = new URL(second.headers.get('location') ?? '/', origin).searchParams.get('code') ?? '';
    assert.equal(code === '', false, `the login answered ${second.status}`);
    this.#codes.set(code, 'answered');
    return code;
  }

  /** Gives the refresh token that the answer holds. */
  async #show(book: Map<string, Standing>, secret: string, ask: () => Promise<Answer>): Promise<string> {
    book.set(secret, 'sent');
    const answer = await ask();
    assert.equal(answer.status, 200, `${answer.text} for what had been answered`);
    book.set(secret, 'used');
    const { refresh_token: token, id_token: idToken } = JSON.parse(answer.text) as Record<string, string>;
    this.#tokens.set(token ?? '', 'answered');
    this.#idTokens.push(idToken ?? '');
    return token ?? '';
  }

  /** Everything in the book is used up by this. */
  async verify(origin: string): Promise<void> {
    const [codes, tokens] = [[...this.#codes], [...this.#tokens]];
    this.#codes.clear();
    this.#tokens.clear();
    for (const [code, standing] of codes) await this.#verifyOne(standing, () => redeem(origin, code));
    for (const [token, standing] of tokens) await this.#verifyOne(standing, () => refresh(origin, token));
    for (const token of this.#idTokens.splice(0)) {
      const answer = await fetch(`${origin}/dex/userinfo`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 200, 'a token that was answered is signed by a key that is known');
    }
  }

  async #verifyOne(standing: Standing, ask: () => Promise<Answer>): Promise<void> {
    this.verified[standing] += 1;
    const first = await ask();
    if (standing === 'answered') assert.equal(first.status, 200, `lost: ${first.text}`);
    if (standing === 'used') assert.equal(first.status, 400, 'used twice');
    assert.ok(first.status === 200 || first.status === 400, first.text);
    assert.equal((await ask()).status, 400, 'used twice');
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const redeem = (origin: string, code: string): Promise<Answer> =>
  post(origin, { grant_type: 'authorization_code', code, redirect_uri: '/cb' });

const refresh = (origin: string, token: string): Promise<Answer> =>
  post(origin, { grant_type: 'refresh_token', refresh_token: token });

async function post(origin: string, form: Record<string, string>): Promise<Answer> {
  const headers = { authorization: `Basic ${Buffer.from('app:secret').toString('base64')}` };
  const response = await fetch(`${origin}/dex/token`, { method: 'POST', headers, body: new URLSearchParams(form) });
  return { status: response.status, text: await response.text() };
}
