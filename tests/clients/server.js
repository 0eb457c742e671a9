// Where the server under test answers, and operations that it has. tests/server.py sets all of it.
const host = process.env.GRAPHQL_HOST ?? '127.0.0.1:8000';

export const url = `http://${host}/graphql`;
export const socketUrl = `ws://${host}/graphql`;

export const token = process.env.GRAPHQL_TOKEN;
export const query = process.env.GRAPHQL_QUERY ?? '{ __typename }';
export const subscription = process.env.GRAPHQL_SUBSCRIPTION;
export const events = Number(process.env.GRAPHQL_EVENTS ?? '1');
