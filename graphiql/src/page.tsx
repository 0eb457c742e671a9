import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import type { TabsState } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useRef, useState } from "react";
import { CallerBar } from "./caller-bar";
import { createFetcher } from "./fetcher";
import type { DemoPerson } from "./people";
import { storage } from "./storage";
import { firstTitle, runBy, tabs } from "./tabs";

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

/** The whole page: one caller for all tabs, and GraphiQL below them. */
export function Page({ endpoint, people }: { endpoint: string; people: DemoPerson[] }) {
  const runnerOf = (title: string) => people.find(({ role }) => role === runBy[title]);
  const [person, setPerson] = useState(() => runnerOf(firstTitle));
  const [bearerToken, setBearerToken] = useState("");
  const [issuedBearerToken, setIssuedBearerToken] = useState("");
  // GraphiQL fetches the schema again whenever it gets another fetcher, so one fetcher reads the latest token.
  const latestBearerToken = useRef("");
  latestBearerToken.current = person?.bearerToken ?? bearerToken;
  const [fetcher] = useState(() =>
    createFetcher(endpoint, () => latestBearerToken.current, setIssuedBearerToken),
  );

  const openTitle = useRef(firstTitle);
  function followTab({ tabs, activeTabIndex }: TabsState) {
    const { title } = tabs[activeTabIndex]!;
    if (title === openTitle.current) return; // an edit
    openTitle.current = title;
    // A bearer token of one's own stays.
    setPerson((present) => present && (runnerOf(title) ?? present));
  }

  return (
    <>
      <CallerBar
        people={people}
        person={person}
        bearerToken={bearerToken}
        issuedBearerToken={issuedBearerToken}
        onChoose={setPerson}
        onChange={(bearerToken) => {
          setPerson(undefined);
          setBearerToken(bearerToken);
        }}
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
          onTabChange={followTab}
          plugins={plugins}
        >
          <GraphiQL.Logo>{null}</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}
