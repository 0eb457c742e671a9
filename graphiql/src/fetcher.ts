import { createGraphiQLFetcher, type Fetcher, type FetcherResult } from "@graphiql/toolkit";

/**
 * Runs operations with the bearer token of the moment: HTTP in its header, subscriptions in `connection_init`.
 *
 * `onBearerTokenIssued` hears of a bearer token that an answer shows, so that the page can offer to use it.
 */
export function createFetcher(
  endpoint: string,
  bearerToken: () => string,
  onBearerTokenIssued: (bearerToken: string) => void,
): Fetcher {
  const url = new URL(endpoint, location.href).href;
  const subscriptionUrl = url.replace(/^http/, "ws");

  return async (operation, options) => {
    if (operation.operationName === "IntrospectionQuery") {
      // Without credentials, so that an expired bearer token does not blind the page.
      return createGraphiQLFetcher({ url, enableIncrementalDelivery: false })(operation);
    }
    const headers: Record<string, string> = bearerToken() ? { Authorization: `Bearer ${bearerToken()}` } : {};
    const fetcher = createGraphiQLFetcher({
      url,
      headers,
      subscriptionUrl,
      wsConnectionParams: headers,
      enableIncrementalDelivery: false,
    });
    const result = await fetcher(operation, options);
    const issued = "data" in result ? findBearerToken(result) : undefined;
    if (issued) onBearerTokenIssued(issued);
    return result;
  };
}

function findBearerToken(result: FetcherResult): string | undefined {
  const fields = Object.values(result.data ?? {}) as ({ bearerToken?: string } | null)[];
  return fields.find((field) => field?.bearerToken)?.bearerToken;
}
