// Apollo Client: automatic persisted queries, and error codes that a link can act on.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { query, url } from './server.js';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const unique = () => gql(query.replace(/^\s*(query\b)?[^{]*\{/, `query Q${process.pid}${Date.now()} {`));

function clientThatCounts(headers = {}) {
  const requests = [];
  const counting = (input, init) => {
    requests.push(init.body ? JSON.parse(init.body) : Object.fromEntries(new URL(input).searchParams));
    return fetch(input, init);
  };
  const http = new HttpLink({ uri: url, fetch: counting, headers });
  const link = ApolloLink.from([new PersistedQueryLink({ sha256 }), http]);
  const settings = { link, cache: new InMemoryCache(), defaultOptions: { query: { fetchPolicy: 'network-only' } } };
  return { client: new ApolloClient(settings), requests };
}

test('Apollo Client sends a hash, then hash and query, then hashes only', async () => {
  const { client, requests } = clientThatCounts();
  const document = unique();
  await client.query({ query: document });
  await client.query({ query: document });
  assert.deepEqual(requests.map((request) => Boolean(request.query)), [false, true, false]);
});

test('Apollo Client reads the code of a refused token', async () => {
  const { client } = clientThatCounts({ authorization: 'Bearer nonsense' });
  await assert.rejects(client.query({ query: unique() }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, 'UNAUTHENTICATED');
    return true;
  });
});
