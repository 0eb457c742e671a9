// The clients that people stream with: graphql-ws and graphql-sse.
//
// GRAPHQL_HOST    where the server under test answers, for example 127.0.0.1:8000
// GRAPHQL_TOKEN   a bearer token, good for the server under test
//
// With GRAPHQL_SUBSCRIPTION, any server: a subscription that yields GRAPHQL_EVENTS results without anybody's doing.
// Without it, the real server: the events are those of the token's user, made here by connecting accounts; and
// GRAPHQL_SPARE_TOKEN, if it is set, is another bearer token of this user, which is revoked.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { createClient as createEventStreams } from 'graphql-sse';
import { createClient as createSockets } from 'graphql-ws';
import WebSocket from 'ws';
import { events, query, socketUrl, subscription, token, url } from './server.js';

const authorization = token ? { Authorization: `Bearer ${token}` } : {};

// Which tests there are says the server: none is skipped.
const none = () => {};
const testGiven = subscription ? test : none;
const testReal = !subscription && token ? (name, run) => test(name, { timeout: 60_000 }, run) : none;
const testSpare = process.env.GRAPHQL_SPARE_TOKEN ? testReal : none;

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

  testGiven(`${name} hears of events, and may leave`, async () => {
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

// What follows is the code of docs/live-events.md, against the real server.
const following = `
  subscription Events($workspaceId: ID, $after: String) {
    events(workspaceId: $workspaceId, after: $after) {
      cursor
      node { id kind socialAccountId subjectName }
    }
  }
`;

async function execute(query, variables = {}, bearer = token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

const eventsCursor = async () => (await execute('{ viewer { eventsCursor } }')).viewer.eventsCursor;

// Events about a Facebook account are named by the id of its user. A new one in each call: what a user connects again
// within an hour is told once.
const newLogin = () => `1${randomInt(10 ** 13, 10 ** 14)}`;

async function connectAccounts(login, ...usernames) {
  const accounts = usernames.map((username, index) => ({ instagramUserId: `${Date.now()}${index}`, username }));
  const accessToken = `TEST-any:fb=${login};ig=${accounts.map((account) => account.instagramUserId).join(',')}`;
  const input = {
    facebookAccount: { facebookUserId: login, accessToken },
    instagramAccounts: accounts.map((account) => ({ ...account, profilePictureUrl: '', accessToken })),
  };
  const { connectSocialAccounts } = await execute(
    `mutation ($input: ConnectSocialAccountsInput!) {
      connectSocialAccounts(input: $input) { __typename }
    }`,
    { input },
  );
  assert.equal(connectSocialAccounts.__typename, 'ConnectSocialAccountsSuccess');
}

async function hear(client, after, limit, meanwhile) {
  const edges = [];
  const results = client.iterate({ query: following, variables: { after } });
  meanwhile?.();
  for await (const { data, errors } of results) {
    assert.equal(errors, undefined);
    edges.push(data.events);
    if (edges.length === limit) break;
  }
  return edges;
}

for (const [name, connect] of Object.entries(transports)) {
  testReal(`${name} hears of what a mutation does, and goes on from a cursor`, async () => {
    const client = connect();
    const [login, another] = [newLogin(), newLogin()];
    const live = await hear(client, await eventsCursor(), 2, () => connectAccounts(login, 'first'));
    assert.deepEqual(live.map(({ node }) => node.subjectName), [login, 'first']);
    client.dispose();

    await connectAccounts(another, 'second', 'third');

    const again = connect();
    const missed = await hear(again, live.at(-1).cursor, 3);
    assert.deepEqual(missed.map(({ node }) => node.subjectName), [another, 'second', 'third']);
    again.dispose();
  });

  testReal(`${name} is told that a cursor is none`, async () => {
    const client = connect();
    const code = (errors) => errors[0].extensions.code;
    try {
      for await (const result of client.iterate({ query: following, variables: { after: 'nonsense' } })) {
        assert.equal(code(result.errors), 'BAD_USER_INPUT');
      }
    } catch (errors) {
      assert.equal(code(errors), 'BAD_USER_INPUT');
    }
    client.dispose();
  });
}

testReal('graphql-ws goes on by itself after its connection broke', async () => {
  let socket;
  let cursor = await eventsCursor();
  const [login, another] = [newLogin(), newLogin()];
  const client = createSockets({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: authorization,
    retryAttempts: 5,
    shouldRetry: () => true,
    on: { opened: (opened) => (socket = opened) },
  });
  const heard = [];
  const done = new Promise((resolve, reject) => {
    client.subscribe(
      // A getter: graphql-ws asks for the variables again when it subscribes again.
      { query: following, variables: { get after() { return cursor; } } },
      {
        next: ({ data }) => {
          cursor = data.events.cursor;
          heard.push(data.events.node.subjectName);
          if (heard.length === 2) socket.terminate();
          if (heard.length === 4) resolve();
        },
        error: reject,
        complete: () => {},
      },
    );
  });
  await connectAccounts(login, 'before');
  while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  await connectAccounts(another, 'after');
  await done;
  assert.deepEqual(heard, [login, 'before', another, 'after']);
  client.dispose();
});

testSpare('graphql-ws is closed when its token is revoked, and does not try again', async () => {
  const spare = process.env.GRAPHQL_SPARE_TOKEN;
  let closed;
  const client = createSockets({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${spare}` },
    on: { closed: (event) => (closed = event) },
  });
  const ended = hear(client, await eventsCursor(), Infinity);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { viewer } = await execute('{ viewer { apiTokens(first: 1) { nodes { id } } } }', {}, spare);
  await execute(
    'mutation ($input: RevokeApiTokenInput!) { revokeApiToken(input: $input) { __typename } }',
    { input: { apiTokenId: viewer.apiTokens.nodes[0].id } },
  );
  await assert.rejects(ended);
  assert.equal(closed.code, 4401);
});

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
