/** Owns how pending, empty and failed states look. */
import type { ReactElement, ReactNode } from 'react';

export function Pending({ what }: { readonly what: string }): ReactElement {
  return (
    <p className="pending" role="status">
      <span className="spinner" aria-hidden="true" />
      Loading {what} …
    </p>
  );
}

export function Empty({ children }: { readonly children: ReactNode }): ReactElement {
  return <p className="empty">{children}</p>;
}

export interface FailureProps {
  readonly message: string;
  readonly status: number;
  readonly retry: () => void;
}

/** A failure with the one thing to do next: log in again when the session is over, else try again. */
export function Failure({ message, status, retry }: FailureProps): ReactElement {
  return (
    <div className="failure" role="alert">
      <p>{status === 401 ? 'Your session has ended.' : message}</p>
      {status === 401 ? (
        <a className="button" href="/">
          Log in again
        </a>
      ) : (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What is wrong with a form, read out as soon as it appears; nothing when the text is empty. */
export function Problem({ text }: { readonly text: string }): ReactElement | null {
  if (text === '') return null;
  return (
    <p className="problem" role="alert">
      {text}
    </p>
  );
}
