// node apollo.js PORT
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { resolvers, schema } from "./resolvers.js";
import { tokenHash } from "./shapes.js";

const server = new ApolloServer({ typeDefs: schema, resolvers });
await startStandaloneServer(server, {
  listen: { host: "127.0.0.1", port: Number(process.argv[2]) },
  context: async ({ req }) => ({ token: tokenHash(req.headers.authorization) }),
});
