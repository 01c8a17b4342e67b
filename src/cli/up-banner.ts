import type { Credentials } from './home.ts';

/**
 * What `up` prints when everything runs: where it is, the keys, and lines to paste into a shell.
 *
 * @param o.token reads the history of `o.skierId`
 * @param o.now the time of the sample scan
 */
export function banner(o: {
  credentials: Credentials;
  credentialsFile: string;
  token: string;
  skierId: number;
  now: Date;
  hasResorts: boolean;
}): string {
  const { baseUrl, deviceKey, adminKey } = o.credentials;
  const scan = JSON.stringify({ resortId: 1, liftId: 7, skierId: o.skierId, scannedAt: o.now.toISOString() });
  const example = [
    '  A scan, and the history it ends up in:',
    '',
    `    curl -X POST ${baseUrl}/v1/scans -H 'Authorization: Bearer ${deviceKey}' -H 'Content-Type: application/json' -d '${scan}'`,
    '',
    `    curl ${baseUrl}/v1/skiers/${o.skierId}/rides -H 'Authorization: Bearer ${o.token}'`,
    '',
  ];
  const empty = ['  There are no resorts yet: liftline resorts import FILE', ''];
  return [
    '',
    `  Liftline is ready:  ${baseUrl}`,
    `  Documentation:      ${baseUrl}/docs`,
    `  The pipeline:       ${baseUrl}/ops (sign in with the admin key)`,
    '',
    `  Skier ${o.skierId}'s page:     ${baseUrl}/app/sign-in?token=${o.token}`,
    '  (it comes alive with: npx liftline simulate)',
    '',
    ...(o.hasResorts ? example : empty),
    `  Sample device key:  ${deviceKey}`,
    `  Admin key:          ${adminKey}`,
    `  Both are in         ${o.credentialsFile}`,
    '',
    '  Ctrl-C stops it.',
    '',
    '',
  ].join('\n');
}
