/** Owns the showing of a new token. It exists nowhere else: whoever goes on without it has to make another. */
import { useEffect, useRef, useState } from 'react';
import type { ReactElement } from 'react';

export function MadeToken({ token, onDone }: { readonly token: string; readonly onDone: () => void }): ReactElement {
  const field = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState('');
  useEffect(() => {
    field.current?.focus();
    setTold('');
  }, [token]);
  const copy = (): void => {
    // Browsers have no clipboard for pages of plain http.
    const { clipboard } = navigator as { readonly clipboard?: Clipboard };
    const copied = clipboard === undefined ? Promise.reject(new Error('no clipboard')) : clipboard.writeText(token);
    copied.then(
      () => setTold('Copied.'),
      () => {
        field.current?.focus();
        setTold('This browser does not let the page copy: press Ctrl+C or ⌘C now.');
      },
    );
  };
  return (
    <div className="made">
      <label htmlFor="made-token">Your new token. Copy it now: it is shown this once.</label>
      <div className="row">
        <input id="made-token" ref={field} readOnly value={token} onFocus={(event) => event.target.select()} />
        <button type="button" className="primary" onClick={copy}>
          Copy
        </button>
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
      <p className="hint" role="status">
        {told}
      </p>
    </div>
  );
}
