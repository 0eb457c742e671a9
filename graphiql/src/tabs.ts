const operations = import.meta.glob<string>("./operations/*.graphql", {
  query: "?raw",
  import: "default",
  eager: true,
});
const variables = import.meta.glob<string>("./operations/*.json", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** One tab per file in `operations/`, in the order of their names, with the variables beside it. */
export const tabs = Object.entries(operations).map(([path, query]) => ({
  query: query.trim(),
  variables: (variables[path.replace(".graphql", ".json")] ?? "").trim(),
}));
