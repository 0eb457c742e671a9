import { defineConfig } from "vite";

export default defineConfig({
  base: "/graphiql/",
  build: {
    outDir: "../graphql_api/web/graphiql_bundle",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 4096, // Monaco, the editor, is one chunk of this size
    rolldownOptions: {
      output: { keepNames: true }, // GraphiQL tells screen readers the names of its icon functions
      onLog(level, log, handle) {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log); // "use client" means nothing here
      },
    },
  },
  worker: { format: "es" },
});
