// node mercurius.js PORT
import Fastify from "fastify";
import mercurius from "mercurius";
import { resolvers, schema } from "./resolvers.js";
import { tokenHash } from "./shapes.js";

const app = Fastify();
app.register(mercurius, {
  schema,
  resolvers,
  jit: 1,
  context: (request) => ({ token: tokenHash(request.headers.authorization) }),
});
await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
