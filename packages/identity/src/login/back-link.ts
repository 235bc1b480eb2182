/** Owns the way back to the choice of connectors. */

/** The link as given when it leads to our own choice page, otherwise none: `//evil`, `/\evil`, `https:` and the like never pass. */
export function safeBackLink(back: string, basePath: string): string {
  return back.startsWith(`${basePath}/auth?`) && !/[\s\\]|\p{Cc}/u.test(back) ? back : '';
}
