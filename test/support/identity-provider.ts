import type { webcrypto } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A key of the provider; the private half signs. */
export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: webcrypto.CryptoKey;
  /** as it stands in the set */
  jwk: JWK;
}

/** Of a token, by name; undefined: left out. */
export type Claims = Record<string, unknown>;

export interface IdentityProvider {
  url: string;
  issuer: string;
  audience: string;
  /** what the set holds now; to be changed */
  keys: SigningKey[];
  /** how it answers, the set unless set */
  answer: ((response: ServerResponse) => void) | undefined;
  /** how often it was asked */
  asked(): number;
  /** @param o.claims changes what a good token of skier 42 says */
  token(key: SigningKey, o?: { claims?: Claims; header?: Record<string, string | undefined> }): Promise<string>;
  stop(): Promise<void>;
}

export async function newSigningKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An identity provider on loopback: a JWKS URL, and the keys to sign with. Starts with one key. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    if (provider.answer) return provider.answer(response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: provider.keys.map(({ jwk }) => jwk) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = 'https://id.resort.example/';
  const audience = 'ski-app';
  const provider: IdentityProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    issuer,
    audience,
    keys: [await newSigningKey('key-1')],
    answer: undefined,
    asked: () => asked,
    token: ({ kid, alg, privateKey }, o = {}) => {
      const nowS = Math.floor(Date.now() / 1_000);
      const claims = { sub: '42', iss: issuer, aud: audience, iat: nowS, exp: nowS + 300, ...o.claims };
      return new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT', ...o.header }).sign(privateKey);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}
