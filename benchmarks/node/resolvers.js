// The resolvers that both servers share; the context is `{ token }`, the bearer token's hash or null.
import { readFileSync } from "node:fs";
import { GraphQLError } from "graphql";
import { globalId, keyOf } from "./shapes.js";
import * as store from "./store.js";

export const schema = readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8");

function refuse() {
  throw new GraphQLError("Only registered user can perform this action", {
    extensions: { code: "UNAUTHENTICATED" },
  });
}

export const resolvers = {
  Query: {
    viewer: async (_, __, { token }) => {
      const row = await store.authenticate(token);
      if (row === null) return token === null ? null : refuse();
      return { key: row.id, user: { id: globalId("User", row.id), name: row.name, email: row.email } };
    },
    node: async (_, { id }, { token }) => {
      const [kind, key] = keyOf(id);
      if (kind !== "Workspace") return null;
      const row = await store.authenticateMember(token, key);
      if (row === null) return refuse();
      if (row.id === null) return null;
      return { __typename: "Workspace", id, name: row.name, viewerRole: row.role, key, userId: row.user_id };
    },
  },
  Viewer: {
    socialAccounts: ({ key }, { first }) => store.personalPage(key, first),
  },
  Workspace: {
    socialAccounts: ({ key, userId, viewerRole }, { first }) =>
      store.workspacePage(userId, key, viewerRole === "ADMIN", first),
  },
  Mutation: {
    connectSocialAccounts: async (_, { input }, { token }) => (await store.connect(token, input)) ?? refuse(),
  },
};

if (schema.includes("\n  events(")) {
  resolvers.Workspace.events = ({ key }, { first }) => store.eventsPage(key, first);
}
