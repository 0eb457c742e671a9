/**
 * Drives the page at GRAPHIQL_URL in a real Chromium; the server may still be starting.
 *
 * Steps build on one another, like a first visit: register, use the bearer token, connect, be refused.
 * Screenshots land in `artefacts/` at the top of the repository.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { GraphiQLPage, execute, newDigits, openBrowser, serverAnswers } from "./graphiql-page.js";

const url = process.env.GRAPHIQL_URL ?? "http://127.0.0.1:8000/graphiql";
const endpoint = new URL("/graphql", url).href;
const artefacts = new URL("../../artefacts/", import.meta.url).pathname;
const instagramUserId = newDigits();
const username = `ada_${instagramUserId.slice(-6)}`;

let browser, graphiql, bearerToken;

before(async () => {
  mkdirSync(artefacts, { recursive: true });
  await serverAnswers(url);
  browser = await openBrowser();
  graphiql = await GraphiQLPage.open(browser, url);
});

after(async () => await browser?.close());

test("the page shows in the light and the dark of the system", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await graphiql.page.emulateMedia({ colorScheme });
    await graphiql.reload();
    await screenshot(`graphiql-${colorScheme}`);
    const [red] = (await graphiql.background()).match(/\d+/g).map(Number);
    assert.equal(red < 128, colorScheme === "dark");
  }
});

test("the theme can be switched, and is all that the browser keeps", async () => {
  await graphiql.chooseTheme("Light");
  assert.match(await graphiql.background(), /255, 255, 255/);
  assert.deepEqual(await graphiql.stored(), { "graphiql:theme": "light" });
});

test("registering shows a bearer token, and one click puts it to use", async () => {
  await graphiql.openTab("Register");
  await graphiql.setVariables({
    input: { email: `${username}@example.com`, password: "correct horse battery staple", name: "Ada" },
  });
  const { registerUser } = (await graphiql.run()).data;
  assert.equal(registerUser.__typename, "RegisterUserSuccess");
  bearerToken = registerUser.bearerToken;
  await screenshot("graphiql-register");
  await graphiql.page.getByRole("button", { name: "Use the bearer token just shown" }).click();
  assert.equal(await graphiql.bearerTokenField().inputValue(), bearerToken);
});

test("the connect tab connects", async () => {
  await graphiql.openTab("Connect");
  await graphiql.setVariables(connectVariables(instagramUserId));
  const { connectSocialAccounts } = (await graphiql.run()).data;
  assert.equal(connectSocialAccounts.__typename, "ConnectSocialAccountsSuccess");
  assert.equal(connectSocialAccounts.connected[0].outcome, "CONNECTED");
  await screenshot("graphiql-connect");
});

test("the list tab shows what was connected", async () => {
  await graphiql.openTab("List");
  const { viewer } = (await graphiql.run()).data;
  assert.deepEqual(viewer.socialAccounts.edges.map((edge) => edge.node.displayName), [username]);
});

test("the admin's refusal is typed", async () => {
  const heldByWorkspace = newDigits();
  const workspaceId = await createWorkspace();
  await connect(connectVariables(heldByWorkspace, { workspaceId }));
  await graphiql.openTab("AdminRefused");
  await graphiql.setVariables(connectVariables(heldByWorkspace));
  const { connectSocialAccounts } = (await graphiql.run()).data;
  assert.equal(connectSocialAccounts.__typename, "ConnectSocialAccountsFailure");
  const [refusal] = connectSocialAccounts.errors;
  assert.equal(refusal.__typename, "HeldByWorkspace");
  assert.deepEqual(refusal.path, ["input", "instagramAccounts", "0", "instagramUserId"]);
  assert.equal(refusal.workspace.id, workspaceId);
  await screenshot("graphiql-refused");
});

test("the wrong-input tab, as it stands, gets every mistake with its path", async () => {
  await graphiql.openTab("WrongInput");
  const { connectSocialAccounts } = (await graphiql.run()).data;
  assert.ok(connectSocialAccounts.errors.length > 1);
  for (const error of connectSocialAccounts.errors) assert.equal(error.__typename, "InvalidInput");
});

test("the check tab says what connecting would do", async () => {
  await graphiql.openTab("Check");
  const key = { platform: "INSTAGRAM", externalId: instagramUserId };
  await graphiql.setVariables({ input: { socialAccounts: [{ ...key, displayName: username }] } });
  const { checkSocialAccounts } = (await graphiql.run()).data;
  assert.deepEqual(checkSocialAccounts.errors, []);
  assert.deepEqual(checkSocialAccounts.checks, [{ ...key, status: "RECONNECT", conflict: null }]);
  await screenshot("graphiql-check");
});

test("a live event arrives", async () => {
  await graphiql.openTab("LiveEvents");
  await graphiql.start();
  const next = newDigits();
  // The subscription says nothing when it has begun, so connect until it tells of something.
  const connecting = setInterval(() => connect(connectVariables(next)), 500);
  const event = await graphiql.answer().finally(() => clearInterval(connecting));
  assert.ok(event.data.events.cursor);
  await screenshot("graphiql-live-event");
  await graphiql.stop();
});

test("documentation, history, explorer and prettifying work", async () => {
  await graphiql.openTab("Connect");
  for (const plugin of ["Documentation Explorer", "History", "GraphiQL Explorer"]) await graphiql.showPlugin(plugin);
  await graphiql.prettify();
  await screenshot("graphiql-explorer");
});

test("a narrow window still shows the operation and its answer", async () => {
  await graphiql.page.setViewportSize({ width: 390, height: 844 });
  await screenshot("graphiql-narrow");
  const [operation, answer] = await Promise.all([graphiql.width("query-editor"), graphiql.width("response")]);
  assert.ok(operation > 250 && answer > 250, `operation ${operation} px, answer ${answer} px wide`);
  await graphiql.page.setViewportSize({ width: 1400, height: 850 });
});

test("no step asked another host, broke the Content-Security-Policy or logged an error", async () => {
  assert.deepEqual(graphiql.problems, []);
  assert.deepEqual(graphiql.hosts, new Set([new URL(url).host]));
});

test("the schema was fetched without the bearer token, which no storage and no address holds", async () => {
  await graphiql.fetchSchemaAgain();
  assert.ok(graphiql.introspections.length > 1);
  for (const headers of graphiql.introspections) assert.equal(headers.authorization, undefined);
  assert.deepEqual(await graphiql.stored(), { "graphiql:theme": "light" });
  assert.equal(graphiql.page.url(), url);
  await graphiql.reload();
  assert.equal(await graphiql.bearerTokenField().inputValue(), "");
});

test("a bad bearer token is answered readably, and does not blind the page", async () => {
  await graphiql.bearerTokenField().fill("not-a-bearer-token");
  await graphiql.openTab("List");
  const { errors } = await graphiql.run();
  assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
  await screenshot("graphiql-unauthenticated");
  await graphiql.fetchSchemaAgain();
  assert.equal(graphiql.problems.length, 1);
  assert.match(graphiql.problems[0], /status of 401/);
});

function connectVariables(instagramUserId, place = {}) {
  return {
    input: {
      facebookAccount: { facebookUserId: "10220000000000001", accessToken: "EAAB-facebook-access-token" },
      instagramAccounts: [
        { instagramUserId, username, profilePictureUrl: "", accessToken: "EAAB-instagram-access-token" },
      ],
      onConflict: "REJECT_ALL",
      ...place,
    },
  };
}

async function connect(variables) {
  const query = `mutation Connect($input: ConnectSocialAccountsInput!) {
    connectSocialAccounts(input: $input) { __typename }
  }`;
  const { connectSocialAccounts } = await execute(endpoint, { query, variables, bearerToken });
  assert.equal(connectSocialAccounts.__typename, "ConnectSocialAccountsSuccess");
}

async function createWorkspace() {
  const query = `mutation CreateWorkspace($input: CreateWorkspaceInput!) {
    createWorkspace(input: $input) { ... on CreateWorkspaceSuccess { workspace { id } } }
  }`;
  const variables = { input: { name: "Studio North" } };
  return (await execute(endpoint, { query, variables, bearerToken })).createWorkspace.workspace.id;
}

const screenshot = (name) => graphiql.page.screenshot({ path: `${artefacts}${name}.png` });
