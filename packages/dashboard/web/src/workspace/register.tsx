/** Owns the first login of a person without a workspace: choose a name, make it, wait until it is there. */
import { useState } from 'react';
import type { FormEvent, ReactElement } from 'react';
import { api, logOut } from '../api/client.ts';
import type { EnvInfo, WorkgroupState } from '../api/client.ts';
import { useAction } from '../api/use-action.ts';
import { Logo } from '../shell/icons.tsx';
import { Problem } from '../shell/notice.tsx';

export interface RegisterProps {
  readonly info: EnvInfo;
  readonly state: WorkgroupState;
  readonly onDone: () => void;
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const TRIES = 66;
const PAUSE_MS = 300;

export function Register({ info, state, onDone }: RegisterProps): ReactElement {
  const [name, setName] = useState(state.suggestedNamespace);
  const { busy, problem, run, setProblem } = useAction();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const wrong = checkName(name);
    if (wrong === '') run(makeWorkspace(name), onDone);
    else setProblem(wrong);
  };
  return (
    <main className="register">
      <form className="card" onSubmit={submit} aria-labelledby="register-title" noValidate>
        <Logo />
        <h1 id="register-title">Create your workspace</h1>
        <p>
          You are logged in as <strong id="user">{info.user}</strong>. A workspace is your own namespace: what you run
          in it is yours, and you decide who else may work there.
        </p>
        <NameField name={name} invalid={problem !== ''} onChange={setName} />
        <Problem text={problem} />
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Creating …' : 'Create workspace'}
        </button>
        <button type="button" className="quiet" onClick={() => void logOut(info.platform.logoutUrl)}>
          Log out
        </button>
      </form>
    </main>
  );
}

interface NameFieldProps {
  readonly name: string;
  readonly invalid: boolean;
  readonly onChange: (name: string) => void;
}

function NameField({ name, invalid, onChange }: NameFieldProps): ReactElement {
  return (
    <>
      <label htmlFor="namespace-name">Namespace name</label>
      <input
        id="namespace-name"
        value={name}
        maxLength={63}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={invalid}
        aria-describedby="namespace-hint"
        onChange={(event) => onChange(event.target.value)}
      />
      <p id="namespace-hint" className="hint">
        Lower case letters, digits and dashes.
      </p>
    </>
  );
}

function checkName(name: string): string {
  if (name === '') return 'Type a name.';
  if (name.length > 63) return 'A name has at most 63 characters.';
  return NAME.test(name) ? '' : 'Use lower case letters, digits and dashes; start and end with a letter or digit.';
}

/** Asks for the workspace, then waits until the caller owns it: the profile controller makes it in the background. */
async function makeWorkspace(name: string): Promise<void> {
  await api.createWorkspace(name);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if ((await api.exists()).hasWorkgroup) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error('The workspace is taking longer than expected. Try again in a minute, or tell an administrator.');
}
