import type { Storage } from "@graphiql/toolkit";

const THEME = "graphiql:theme";

/**
 * What GraphiQL may keep in the browser: the theme.
 *
 * Operations, variables and history hold passwords and access tokens, so they end with the page.
 */
export const storage: Storage = {
  length: 0,
  getItem: (key) => (key === THEME ? localStorage.getItem(key) : null),
  setItem: (key, value) => {
    if (key === THEME) localStorage.setItem(key, value);
  },
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.removeItem(THEME),
};
