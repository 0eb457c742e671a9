// PostgreSQL through `pg`: the same statements as the floor's, prepared once on each connection.
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { GraphQLError } from "graphql";
import pg from "pg";
import {
  conflictsOf,
  connected,
  eventsOf,
  failure,
  lookUpsKey,
  lookUpsOf,
  pageOf,
  problemsOf,
  seal,
} from "./shapes.js";

pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text);

const folder = new URL("../statements/", import.meta.url);
const STATEMENTS = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .map((name) => [name.replace(".sql", ""), readFileSync(new URL(name, folder), "utf8")]),
);

const [, user, database, host] = /^postgresql:\/\/(\w+)[^/]*\/(\w+)\?host=(.*)$/.exec(process.env.DATABASE_URL);
const HOUR = 3_600_000;
const LOOK_UPS = Number(process.env.LOOK_UPS_PER_USER);
const size = Number(process.env.DATABASE_POOL_SIZE);
const pool = new pg.Pool({
  user,
  database,
  host: decodeURIComponent(host),
  min: size,
  max: size,
  idleTimeoutMillis: 0,
  options: "-c TimeZone=UTC",
});

async function rowsOf(client, name, values) {
  return (await client.query({ name, text: STATEMENTS[name], values })).rows;
}

export async function authenticate(token) {
  if (token === null) return null;
  return (await rowsOf(pool, "authenticate", [token, new Date()]))[0] ?? null;
}

export async function authenticateMember(token, workspaceId) {
  if (token === null) return null;
  return (await rowsOf(pool, "authenticate_member", [token, new Date(), workspaceId]))[0] ?? null;
}

export async function personalPage(userId, first) {
  return pageOf(await rowsOf(pool, "personal_page", [userId, first + 1]), first);
}

export async function workspacePage(userId, workspaceId, isAdmin, first) {
  return pageOf(await rowsOf(pool, "workspace_page", [userId, first + 1, workspaceId, isAdmin]), first);
}

export async function eventsPage(workspaceId, first) {
  return eventsOf(await rowsOf(pool, "events_page", [workspaceId, first + 1]), first);
}

class Conflicted extends Error {}

// What the mutation answers; null if the bearer token is not valid.
export async function connect(token, command) {
  const problems = problemsOf(command);
  if (problems.length > 0) return failure(problems);
  if (token === null) return null;
  const client = await pool.connect();
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        await client.query("BEGIN");
        const answer = await claim(client, token, command);
        await client.query("COMMIT");
        return answer;
      } catch (error) {
        await client.query("ROLLBACK");
        if (!(error instanceof Conflicted)) throw error;
      }
    }
    throw new Conflicted();
  } finally {
    client.release();
  }
}

async function claim(client, token, { facebookAccount, instagramAccounts }) {
  const now = new Date();
  const ids = instagramAccounts.map((account) => account.instagramUserId);
  const found = await rowsOf(client, "lock", [token, now, ids]);
  if (found.length === 0) return null;
  const { id: userId, held_count: used } = found[0];
  const holdings = new Map(found.map((row) => [row.external_id, row]));
  const conflicts = conflictsOf(instagramAccounts, userId, used, holdings);
  if (conflicts.length > 0) {
    await countLookUps(client, userId, now, lookUpsOf(conflicts));
    return failure(conflicts);
  }
  const holder = `user:${userId}`;
  const { facebookUserId, accessToken, location } = facebookAccount;
  const rows = await rowsOf(client, "connect", [
    userId,
    now,
    randomBytes(16).toString("hex"),
    facebookUserId,
    location,
    seal(accessToken, "facebook_accounts", "FACEBOOK", facebookUserId, holder),
    ids,
    instagramAccounts.map((account) => account.username),
    instagramAccounts.map((account) => account.profilePictureUrl || null),
    instagramAccounts.map((account) =>
      seal(account.accessToken, "social_accounts", "INSTAGRAM", account.instagramUserId, holder),
    ),
    found[0].name,
  ]);
  if (ids.length > 0 && (rows.length !== ids.length || rows[0].hold_id === null)) throw new Conflicted();
  return connected(rows);
}

// What the answer says is held elsewhere, in the transaction that wrote nothing else.
async function countLookUps(client, userId, now, amount) {
  if (amount === 0) return;
  const values = [lookUpsKey(userId), amount, now, new Date(now.getTime() + HOUR), LOOK_UPS];
  if ((await rowsOf(client, "count_look_ups", values)).length === 0) {
    throw new GraphQLError("Too many attempts; please wait", { extensions: { code: "RATE_LIMITED" } });
  }
}
