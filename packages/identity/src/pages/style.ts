/** Owns how pages look: one small style sheet inside the page, light and dark, from phone to desk; nothing is loaded. */
// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

export const STYLE = `
:root{color-scheme:light dark;--bg:#f4f6f8;--card:#fff;--text:#1b2733;--muted:#52606d;--line:#c3ccd5;--accent:#1a56db;--on-accent:#fff;--bad:#b42318;--bad-bg:#fef3f2}
:root[data-theme=light]{color-scheme:light}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){--bg:#10161d;--card:#1a222c;--text:#e6edf3;--muted:#a5b1bd;--line:#3d4a58;--accent:#7aa7ff;--on-accent:#0b1220;--bad:#ffa198;--bad-bg:#3a1d1d}}
:root[data-theme=dark]{color-scheme:dark;--bg:#10161d;--card:#1a222c;--text:#e6edf3;--muted:#a5b1bd;--line:#3d4a58;--accent:#7aa7ff;--on-accent:#0b1220;--bad:#ffa198;--bad-bg:#3a1d1d}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1rem;background:var(--bg);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:24rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.75rem}
.logo{display:block;max-width:100%;max-height:4rem;margin:0 0 1rem}
footer{margin-top:1.5rem;color:var(--muted);font-size:.9rem}
.brand{margin:0 0 1.25rem;color:var(--muted);font-size:.9rem}
h1{margin:0 0 1rem;font-size:1.35rem;line-height:1.25}
p{margin:0 0 1rem}
label{display:block;margin:1rem 0 .3rem;font-weight:600}
input[type=text],input[type=email],input[type=password]{width:100%;padding:.6rem .7rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.4rem}
.check{display:flex;gap:.6rem;align-items:center;font-weight:400}
.check input{width:1.25rem;height:1.25rem;margin:0;accent-color:var(--accent)}
button,.button{display:block;width:100%;margin-top:1.25rem;padding:.65rem 1rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;color:var(--on-accent);background:var(--accent);border:1px solid var(--accent);border-radius:.4rem;cursor:pointer}
button.plain,.button.plain{color:var(--text);background:transparent;border-color:var(--line);margin-top:.75rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.error{margin:0 0 .5rem;padding:.6rem .7rem;color:var(--bad);background:var(--bad-bg);border:1px solid currentColor;border-radius:.4rem}
ul{padding-left:1.2rem;margin:0 0 1rem}
.choices{list-style:none;padding:0;margin:0}
.choices .button{margin-top:.75rem}
a{color:var(--accent)}
.back{display:inline-block;margin-top:1.25rem}
code{font-size:1.15rem;overflow-wrap:anywhere}
@media (max-width:26rem){body{padding:0;place-items:start stretch}main{border:0;border-radius:0;min-height:100vh}}
`;

/** The only script there is, on pages that go on to an identity provider by themselves. */
export const SUBMIT = 'document.forms[0].submit()';
export const SUBMIT_SOURCE: string = hashSource(SUBMIT);

/** The policy of every page: this style and nothing else; frames and scripts do not exist. */
export const STYLE_SOURCE: string = hashSource(STYLE);

export function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
