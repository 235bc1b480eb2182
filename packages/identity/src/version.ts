/** The version that the management API and the command line tell. */
export const VERSION = '0.1.0';
