/** Owns the `frontend` section. */
import type { FrontendConfig } from './config.ts';
import { object, stringMap } from './object-shape.ts';
import { refine, string } from './shape.ts';
import type { Shape } from './shape.ts';

const section = object('How pages look.', {
  issuer: string('The name pages show.', { fallback: 'dex' }),
  theme: string('`light`, `dark`, the name of a folder of `dir`/themes, or empty for what the reader prefers.'),
  dir: string(
    'Directory with themes/<theme>/{styles.css,logo.png,favicon.png}, static/, templates/*.html (Dex’s page templates), slots/{header,footer}.html; `DEX_FRONTEND_DIR` when empty.',
  ),
  logoURL: string('The logo: a file of `dir` (`theme/logo.png` when empty), put into the page, or an https address.'),
  extra: stringMap('Words for templates and slots: `{{ extra "key" }}`.'),
});

const checked = refine(section, ({ theme }, complain) => {
  if (!/^[\w-]*$/.test(theme)) complain('theme', 'is no name of a folder', 'Use letters, digits, "-" and "_".');
});

export const frontendSection: Shape<FrontendConfig> = {
  ...checked,
  read: (node, context) => {
    const frontend = checked.read(node, context);
    return { ...frontend, dir: frontend.dir === '' ? (context.env['DEX_FRONTEND_DIR'] ?? '') : frontend.dir };
  },
};
