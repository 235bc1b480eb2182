/** Owns what is kept of an upstream's tokens to ask again later. The shape is Dex's, so that its refresh tokens go on working. */

export interface KeptGrant {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

export function rememberGrant({ accessToken, refreshToken }: KeptGrant): Buffer {
  return Buffer.from(JSON.stringify({ accessToken, ...(refreshToken === undefined ? {} : { refreshToken }) }));
}

export function readGrant(data: Buffer | undefined): KeptGrant | undefined {
  try {
    const { accessToken, refreshToken } = JSON.parse(data?.toString('utf8') ?? '') as Record<string, unknown>;
    const access = typeof accessToken === 'string' ? accessToken : '';
    const refresh = typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined;
    return access === '' && refresh === undefined ? undefined : { accessToken: access, refreshToken: refresh };
  } catch {
    return undefined;
  }
}
