import { createSkierTokens, type SkierTokens } from '../directory/skier-tokens.ts';
import { type Config, ConfigError } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';

/** @returns what checks skiers' tokens as the settings say, or undefined when they name nobody whose tokens to take */
export function skierTokensOf(config: Config, logger: Logger): SkierTokens | undefined {
  const { tokenSecret, tokenJwksUrl, tokenIssuer, tokenAudiences, tokenSkierClaim } = config;
  if (!tokenSecret && !tokenJwksUrl) return undefined;
  const provider = {
    jwksUrl: tokenJwksUrl,
    issuer: tokenIssuer,
    audiences: tokenAudiences,
    skierClaim: tokenSkierClaim,
  };
  return createSkierTokens({ secret: tokenSecret, provider: tokenJwksUrl ? provider : undefined, logger });
}

/** The same where reads are nothing without it. @throws ConfigError when the settings name nobody */
export function requireSkierTokens(config: Config, logger: Logger): SkierTokens {
  const tokens = skierTokensOf(config, logger);
  if (!tokens) throw new ConfigError(['TOKEN_SECRET must be set, or TOKEN_JWKS_URL']);
  return tokens;
}
