import { expect, test } from 'vitest';
import { generateTypes } from 'client-generator';
import { startAllInOne } from '../support/all-in-one.ts';

/** `npm run client` is this test with leave to write the file. */
test('the types of the client are what /openapi.json of edge, rides and ops gives: npm run client', async () => {
  const all = await startAllInOne();
  try {
    const document = await (await fetch(`${all.url}/openapi.json`)).text();
    await expect(await generateTypes(document)).toMatchFileSnapshot('../../src/client/schema.ts');
  } finally {
    await all.stop();
  }
});
