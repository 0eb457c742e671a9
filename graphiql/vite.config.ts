import { defineConfig } from "vite";

export default defineConfig({
  base: "/graphiql/",
  build: {
    outDir: "../graphql_api/web/graphiql_bundle",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 4096, // Monaco, the editor, is one chunk of this size
  },
  worker: { format: "es" },
});
