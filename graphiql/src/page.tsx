import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { useRef, useState } from "react";
import { BearerTokenBar } from "./bearer-token-bar";
import { createFetcher } from "./fetcher";
import { storage } from "./storage";
import { tabs } from "./tabs";

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

/** The whole page: one bearer token for all tabs, and GraphiQL below it. */
export function Page({ endpoint }: { endpoint: string }) {
  const [bearerToken, setBearerToken] = useState("");
  const [issuedBearerToken, setIssuedBearerToken] = useState("");
  // GraphiQL fetches the schema again whenever it gets another fetcher, so one fetcher reads the latest token.
  const latestBearerToken = useRef("");
  latestBearerToken.current = bearerToken;
  const [fetcher] = useState(() =>
    createFetcher(endpoint, () => latestBearerToken.current, setIssuedBearerToken),
  );

  return (
    <>
      <BearerTokenBar
        bearerToken={bearerToken}
        issuedBearerToken={issuedBearerToken}
        onChange={setBearerToken}
        onForget={() => {
          setBearerToken("");
          setIssuedBearerToken("");
        }}
      />
      <main>
        <GraphiQL
          fetcher={fetcher}
          storage={storage}
          shouldPersistHeaders={false}
          defaultTabs={tabs}
          initialVariables={tabs[0].variables}
          plugins={plugins}
        >
          <GraphiQL.Logo>{null}</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}
