/** Owns the icons: inline drawings, so that nothing is fetched. */
import type { ReactElement } from 'react';

const PATHS = {
  home: 'M3 11 12 4l9 7M5 10v10h5v-6h4v6h5V10',
  activity: 'M3 12h4l3-8 4 16 3-8h4',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 9c0-4 3-6 7-6s7 2 7 6M17 4a4 4 0 0 1 0 7M22 20c0-3-1.5-5-4-5.7',
  app: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  menu: 'M4 6h16M4 12h16M4 18h16',
  out: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h10',
  link: 'M10 14 20 4M14 4h6v6M19 14v6H4V5h6',
  plus: 'M12 5v14M5 12h14',
  cross: 'M6 6l12 12M18 6 6 18',
  key: 'M15 9a4 4 0 1 0-4 4l-7 7v2h4v-3h3v-3l2-3a4 4 0 0 0 2-4Z',
  box: 'M12 3 4 7v10l8 4 8-4V7zM4 7l8 4 8-4M12 11v10',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo(): ReactElement {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M9 8v16M9 17l11-9M13 14l10 10" />
    </svg>
  );
}
