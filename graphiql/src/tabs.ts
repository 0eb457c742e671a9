import type { DemoPerson } from "./people";

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

/** Who runs a tab, by its title: opening the tab chooses them. A tab that is not here leaves the choice as it is. */
export const runBy: Readonly<Record<string, DemoPerson["role"]>> = {
  Connect: "CREATOR",
  AdminRefused: "ADMIN",
  CreatorRefused: "CREATOR",
  Check: "CREATOR",
  List: "CREATOR",
  LiveEvents: "CREATOR",
};
export const firstTitle = "Connect";
