/** Owns a scripted login with curl, as users' scripts do it: follow redirects to the form, post it, keep the cookies. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { curlIn } from './platform.ts';
import type { Platform } from './platform.ts';

export interface Browsing {
  readonly status: number;
  readonly url: string;
  readonly body: string;
}

export interface Session {
  get(target: string, ...args: string[]): Browsing;
}

/** A curl with its own cookie jar. */
export function createSession(t: TestContext, platform: Platform): Session {
  const directory = mkdtempSync(path.join(tmpdir(), 'kfctl-jar-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const jar = path.join(directory, 'jar');
  return {
    get: (target, ...args) => {
      const url = new URL(target, platform.url).href;
      const { stdout } = curlIn(
        platform.world,
        '-L',
        '-b',
        jar,
        '-c',
        jar,
        '-w',
        '\n%{http_code} %{url_effective}',
        ...args,
        url,
      );
      const cut = stdout.lastIndexOf('\n');
      const [status = '0', effective = ''] = stdout.slice(cut + 1).split(' ');
      return { status: Number(status), url: effective, body: stdout.slice(0, cut) };
    },
  };
}

/** Where a login page leads whoever chooses one of its ways to log in. */
export function chooseConnector(session: Session, name: string): Browsing {
  const page = session.get('/', '-H', 'sec-fetch-mode: navigate', '-H', 'accept: text/html');
  const href = new RegExp(`href="([^"]*)">Log in with ${name}<`).exec(page.body)?.[1];
  assert.ok(href !== undefined, `no "Log in with ${name}" at ${page.url}:\n${page.body.slice(0, 2000)}`);
  return session.get(href.replaceAll('&amp;', '&'), '-H', 'accept: text/html');
}

/** Logs in through the login page; gives the answer to the posted form with redirects followed. */
export function logIn(session: Session, user: string, password: string): Browsing {
  const form = session.get('/', '-H', 'sec-fetch-mode: navigate', '-H', 'accept: text/html');
  return sendForm(session, form, { user, password });
}

export function sendForm(
  session: Session,
  form: Browsing,
  { user, password }: { readonly user: string; readonly password: string },
): Browsing {
  return session.get(
    form.url,
    '-H',
    'accept: text/html',
    '--data-urlencode',
    `login=${user}`,
    '--data-urlencode',
    `password=${password}`,
  );
}
