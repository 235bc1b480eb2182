/** Owns logging in as a program does it: the login page, then the form, over kept connections. */
import { Agent, request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';

const agent = new Agent({ keepAlive: true });
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const QUERY = 'client_id=app&redirect_uri=%2Fcb&response_type=code&scope=openid+email+groups+offline_access&state=s';

export interface Answer {
  readonly status: number;
  readonly location: string;
}

export interface Person {
  readonly connector: string;
  readonly username: string;
  readonly password: string;
}

/** The code that the login ends in. */
export async function logIn(origin: string, { connector, username, password }: Person): Promise<string> {
  const page = await ask(`${origin}/dex/auth/${connector}?${QUERY}`);
  const form = new URLSearchParams({ login: username, password });
  const done = await ask(origin + page.location, FORM, form.toString());
  const code = new URL(done.location, origin).searchParams.get('code');
  if (code === null) throw new Error(`the login answered ${done.status}`);
  return code;
}

export function ask(url: string, headers: OutgoingHttpHeaders = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '' }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
