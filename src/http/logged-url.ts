/** How much of a URL stands in an access line: a line must fit into one write to a pipe, which takes 4,096 bytes. */
import { cutText } from '../platform/shorten.js';

/** In the field `url`, in characters. */
export const MAX_URL = 1_024;

/** In the message, in characters. */
export const MAX_URL_IN_MESSAGE = 256;

export interface LoggedUrl {
  readonly url: string;
  readonly shortUrl: string;
  /** Further fields of the line. */
  readonly more: { readonly shortened?: true };
}

const WHOLE = {};
const SHORTENED = { shortened: true } as const;

export const loggedUrl = (url: string): LoggedUrl => ({
  url: cutText(url, MAX_URL),
  shortUrl: cutText(url, MAX_URL_IN_MESSAGE),
  more: url.length > MAX_URL ? SHORTENED : WHOLE,
});
