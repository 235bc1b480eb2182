/** Owns what follows the end of a row: its button is gone, so focus goes to the heading, and screen readers are told. */
import { useRef, useState } from 'react';
import type { ReactElement, RefObject } from 'react';

export interface AfterEnd {
  /** Of the heading, which takes focus. */
  readonly heading: RefObject<HTMLHeadingElement | null>;
  readonly told: ReactElement;
  readonly tell: (text: string) => void;
}

export function useAfterEnd(): AfterEnd {
  const heading = useRef<HTMLHeadingElement>(null);
  const [text, setText] = useState('');
  return {
    heading,
    told: (
      <p className="visually-hidden" role="status">
        {text}
      </p>
    ),
    tell: (said) => {
      setText(said);
      heading.current?.focus();
    },
  };
}
