// The clients that people stream with: graphql-ws and graphql-sse.
// GRAPHQL_SUBSCRIPTION must be a subscription that yields GRAPHQL_EVENTS results without anybody's doing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient as createEventStreams } from 'graphql-sse';
import { createClient as createSockets } from 'graphql-ws';
import WebSocket from 'ws';
import { events, query, socketUrl, subscription, token, url } from './server.js';

const authorization = token ? { Authorization: `Bearer ${token}` } : {};

const transports = {
  'graphql-ws': () =>
    createSockets({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: authorization, retryAttempts: 0 }),
  'graphql-sse': () => createEventStreams({ url, headers: authorization, retryAttempts: 0 }),
};

async function collect(client, document, limit) {
  const results = [];
  for await (const result of client.iterate({ query: document })) {
    results.push(result);
    if (results.length === limit) break;
  }
  return results;
}

for (const [name, connect] of Object.entries(transports)) {
  test(`${name} runs a query`, async () => {
    const client = connect();
    const [result] = await collect(client, query);
    assert.ok(result.data);
    assert.equal(result.errors, undefined);
    client.dispose();
  });

  test(`${name} hears of events, and may leave`, async () => {
    const client = connect();
    const results = await collect(client, subscription, events);
    assert.equal(results.length, events);
    for (const result of results) assert.ok(result.data);
    client.dispose();
  });

  test(`${name} is told what is wrong`, async () => {
    const client = connect();
    const code = (errors) => errors[0].extensions.code;
    try {
      const [result] = await collect(client, '{ noSuchField }');
      assert.equal(code(result.errors), 'GRAPHQL_VALIDATION_FAILED');
    } catch (errors) {
      assert.equal(code(errors), 'GRAPHQL_VALIDATION_FAILED');
    }
    client.dispose();
  });
}

test('graphql-ws is refused with a bad token, and does not try again', async () => {
  let closed;
  const client = createSockets({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: 'Bearer nonsense' },
    on: { closed: (event) => (closed = event) },
  });
  await assert.rejects(collect(client, query));
  assert.equal(closed.code, 4401);
});

test('graphql-sse is refused with a bad token', async () => {
  const client = createEventStreams({ url, headers: { Authorization: 'Bearer nonsense' }, retryAttempts: 0 });
  await assert.rejects(collect(client, query), (error) => error.response.status === 401);
});
