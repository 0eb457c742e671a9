export interface DemoPerson {
  name: string;
  role: "ADMIN" | "CREATOR";
  bearerToken: string;
}

/** Whom the page may be logged in as: the demo's people in development, otherwise nobody. */
export async function fetchPeople(path: string): Promise<DemoPerson[]> {
  if (path === "") return [];
  const response = await fetch(path).catch(() => null);
  return response?.ok ? ((await response.json()) as DemoPerson[]) : [];
}
