/** Owns the contract of the languages inside HTML: addresses, scripts, styles. Each knows where in its text it stands. */
import type { Value } from '../values.ts';

export interface InnerLanguage {
  /** Goes on behind text of the template, and returns what of it is written: comments are not. */
  text(text: string): string;
  /** Data, escaped for the place. Throws an `Unsafe` where no escaping is safe. */
  value(value: Value): string;
}

/** Why nothing can be written here; who knows the file and the line makes an error of it. */
export class Unsafe extends Error {}

/** What data becomes when it would do harm where it stands; Go's own word, so that it is found when searched for. */
export const REPLACEMENT = 'ZgotmplZ';
