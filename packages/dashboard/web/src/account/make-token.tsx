/** Owns the form that makes an API token. */
import { useState } from 'react';
import type { FormEvent, ReactElement } from 'react';
import { account } from '../api/account.ts';
import { useAction } from '../api/use-action.ts';
import { Icon } from '../shell/icons.tsx';
import { Problem } from '../shell/notice.tsx';

const DAYS = [7, 30, 90, 365] as const;

interface Wanted {
  readonly name: string;
  /** As typed: separated by blanks or commas. */
  readonly paths: string;
  readonly days: number;
  readonly readOnly: boolean;
}

const NOTHING: Wanted = { name: '', paths: '', days: 30, readOnly: true };

export function MakeToken({ onMade }: { readonly onMade: (token: string) => void }): ReactElement {
  const [wanted, setWanted] = useState(NOTHING);
  const { busy, problem, run } = useAction();
  const { name, paths, days, readOnly } = wanted;
  const make = (event: FormEvent): void => {
    event.preventDefault();
    const list = paths.split(/[\s,]+/).filter(Boolean);
    const made = account.makeToken({ name: name.trim(), readOnly, paths: list, expiresInDays: days });
    run(made, () => {
      setWanted(NOTHING);
      void made.then(({ token }) => onMade(token));
    });
  };
  return (
    <form className="make-token" onSubmit={make} noValidate>
      <div className="row">
        <Fields wanted={wanted} onChange={(change) => setWanted({ ...wanted, ...change })} />
        <button type="submit" disabled={busy || name.trim() === ''}>
          <Icon name="plus" />
          Make a token
        </button>
      </div>
      <Problem text={problem} />
    </form>
  );
}

interface FieldsProps {
  readonly wanted: Wanted;
  readonly onChange: (change: Partial<Wanted>) => void;
}

function Fields({ wanted, onChange }: FieldsProps): ReactElement {
  const { name, paths, days, readOnly } = wanted;
  return (
    <>
      <label>
        Name
        <input
          value={name}
          maxLength={100}
          placeholder="nightly pipeline"
          onChange={(event) => onChange({ name: event.target.value })}
        />
      </label>
      <label>
        Only below these paths
        <input
          value={paths}
          placeholder="any, or /pipeline"
          onChange={(event) => onChange({ paths: event.target.value })}
        />
      </label>
      <label>
        Ends after
        <select value={days} onChange={(event) => onChange({ days: Number(event.target.value) })}>
          {DAYS.map((count) => (
            <option key={count} value={count}>
              {count} days
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="checkbox" checked={readOnly} onChange={(event) => onChange({ readOnly: event.target.checked })} />
        For reading only
      </label>
    </>
  );
}
