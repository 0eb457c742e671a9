// Values in, values out: the checks of the input, the sealing, and the objects that resolvers hand over.
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BEARER_TOKEN = /^Bearer (sca_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const META_ID = /^[1-9][0-9]{0,19}$/;
const USERNAME = /^(?=.{1,30}$)[A-Za-z0-9_](?:\.?[A-Za-z0-9_])*$/;
const ACCESS_TOKEN = /^[\x20-\x7e]{1,4096}$/;
const PICTURE_URL = /^https:\/\/[A-Za-z0-9._~:/?#[\]!$&()*+,;=%-]{1,2040}$/;
const LOCATION = /^[^\p{C}\p{Zl}\p{Zp}]{0,200}$/u;

const [KEY_ID, KEY] = process.env.SEALING_KEYS.split(":");
const KEY_BYTES = Buffer.from(KEY, "base64url");
const LIMIT = Number(process.env.MAX_ACCOUNTS_PER_HOLDER);

export function tokenHash(authorization) {
  const match = BEARER_TOKEN.exec(authorization ?? "");
  if (match === null || match[2] !== checksum(match[1])) return null;
  return createHash("sha256").update(match[1]).update(match[2]).digest();
}

function checksum(body) {
  let number = crc32(body);
  let digits = "";
  for (let index = 0; index < 6; index++) {
    digits = DIGITS[number % 62] + digits;
    number = Math.floor(number / 62);
  }
  return digits;
}

export function seal(secret, table, platform, externalId, holder) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", KEY_BYTES, nonce);
  cipher.setAAD(Buffer.from(["v1", KEY_ID, table, "access_token", platform, externalId, holder].join("\x1f")));
  const body = Buffer.concat([nonce, cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()]);
  // Padded, as the server writes it.
  return `v1.${KEY_ID}.${body.toString("base64").replaceAll("+", "-").replaceAll("/", "_")}`;
}

export function problemsOf({ facebookAccount, instagramAccounts }) {
  const found = [];
  const invalid = (path, code = "INVALID_FORMAT") =>
    found.push({ __typename: "InvalidInput", path: ["input", ...path], message: "This is not acceptable", code });
  if (!META_ID.test(facebookAccount.facebookUserId)) invalid(["facebookAccount", "facebookUserId"]);
  if (!ACCESS_TOKEN.test(facebookAccount.accessToken)) invalid(["facebookAccount", "accessToken"]);
  if (facebookAccount.location != null && !LOCATION.test(facebookAccount.location)) {
    invalid(["facebookAccount", "location"]);
  }
  if (instagramAccounts.length > 100) {
    invalid(["instagramAccounts"], "TOO_LONG");
    return found;
  }
  const seen = new Set();
  instagramAccounts.forEach((account, index) => {
    const at = (field) => ["instagramAccounts", String(index), field];
    if (!META_ID.test(account.instagramUserId)) invalid(at("instagramUserId"));
    if (seen.has(account.instagramUserId)) invalid(at("instagramUserId"), "DUPLICATE");
    seen.add(account.instagramUserId);
    if (!USERNAME.test(account.username)) invalid(at("username"));
    if (account.profilePictureUrl && !isUrl(account.profilePictureUrl)) invalid(at("profilePictureUrl"));
    if (!ACCESS_TOKEN.test(account.accessToken)) invalid(at("accessToken"));
  });
  return found;
}

function isUrl(text) {
  return PICTURE_URL.test(text) && URL.canParse(text);
}

export function conflictsOf(accounts, userId, used, holdings) {
  const conflicts = [];
  let room = LIMIT - used;
  accounts.forEach((account, index) => {
    const holding = holdings.get(account.instagramUserId);
    const path = ["input", "instagramAccounts", String(index), "instagramUserId"];
    const told = (sentence) => `Instagram account ${account.username} not connected. ${sentence}`;
    if (holding !== undefined) {
      if (holding.holder_user_id === userId) return;
      conflicts.push({
        __typename: "HeldElsewhere",
        path,
        message: told("This social account is already connected elsewhere"),
        platform: "INSTAGRAM",
        externalId: account.instagramUserId,
        resolutions: [],
      });
    } else if (room > 0) {
      room -= 1;
    } else {
      const message = told(`This place holds ${used} of at most ${LIMIT} social accounts`);
      conflicts.push({ __typename: "AccountLimitReached", path, message, limit: LIMIT, used });
    }
  });
  return conflicts;
}

export function lookUpsOf(conflicts) {
  return conflicts.filter((conflict) => conflict.__typename === "HeldElsewhere").length;
}

export function lookUpsKey(userId) {
  return createHash("sha256").update(`look-up\x1f${userId}`).digest();
}

export function failure(errors) {
  return { __typename: "ConnectSocialAccountsFailure", message: "Could not save the entity.", errors };
}

export function connected(rows) {
  const [first] = rows;
  return {
    __typename: "ConnectSocialAccountsSuccess",
    facebookAccount: facebookAccountOf(first),
    connected: rows
      .filter((row) => row.hold_id !== null)
      .map((row) => ({
        outcome: row.is_new ? "CONNECTED" : "RECONNECTED",
        socialAccount: { ...accountOf(row), updatedAt: moment(row.updated_at) },
      })),
    notConnected: [],
  };
}

function facebookAccountOf(row) {
  return {
    id: globalId("FacebookAccount", row.facebook_account_id),
    facebookUserId: row.facebook_user_id,
    location: row.location,
  };
}

function accountOf(row) {
  return {
    __typename: "InstagramAccount",
    id: globalId("InstagramAccount", row.hold_id),
    externalId: row.external_id,
    displayName: row.display_name,
    nickname: row.nickname,
    profilePictureUrl: row.profile_picture_url,
    createdAt: moment(row.created_at),
  };
}

export function pageOf(rows, size) {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  return {
    nodes: shown.map((row) => ({
      ...accountOf(row),
      facebookAccount: row.facebook_account_id === null ? null : facebookAccountOf(row),
      connectedTeams: (row.teams ?? []).map(([key, name]) => ({ id: globalId("Team", key), name })),
    })),
    pageInfo: {
      hasNextPage: rows.length > size,
      endCursor: last === undefined ? null : cursor(last.created_at, last.hold_id),
    },
  };
}

export function eventsOf(rows, size) {
  return {
    nodes: rows.slice(0, size).map((row) => ({
      id: globalId("Event", row.id),
      kind: row.kind,
      occurredAt: moment(row.created_at),
      socialAccountId: globalId("InstagramAccount", row.subject_id),
    })),
  };
}

export function globalId(kind, key) {
  return Buffer.from(`${kind}:${key}`, "latin1").toString("base64");
}

export function keyOf(id) {
  return Buffer.from(id, "base64").toString("latin1").split(":");
}

// PostgreSQL's text of a time in UTC, `2026-01-01 00:00:00.5+00`, so that no microsecond is lost.
function moment(text) {
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction(text).padEnd(3, "0").slice(0, 3)}Z`;
}

function cursor(text, holdId) {
  const digits = fraction(text);
  const part = digits === "" ? "" : `.${digits.padEnd(6, "0")}`;
  const iso = `${text.slice(0, 10)}T${text.slice(11, 19)}${part}+00:00`;
  return Buffer.from(`["${iso}","${holdId}"]`, "latin1").toString("base64url");
}

function fraction(text) {
  return text[19] === "." ? text.slice(20, text.length - 3) : "";
}
