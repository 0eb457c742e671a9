// GraphQL over HTTP's own audits: all of them pass, none with a warning or a notice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { url } from './server.js';

const AUDITS = 61;

test('GraphQL over HTTP', async (suite) => {
  const audits = serverAudits({ url });
  assert.equal(audits.length, AUDITS);
  for (const audit of audits) {
    await suite.test(`${audit.id} ${audit.name}`, async () => {
      const result = await audit.fn();
      assert.equal(result.status, 'ok', `${result.status}: ${result.reason}`);
    });
  }
});
