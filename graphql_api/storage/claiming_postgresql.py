"""PostgreSQL's one statement that connects: who calls, their place, the claim, its events, and the key."""

from graphql_api.storage.hot import numbered

_PERSONAL = """
  SELECT id AS user_id, NULL::uuid AS workspace_id, held_count, event_seq AS last_seq FROM viewer
"""
_PERSONAL_GOES_ON = """goes_on AS (
  UPDATE users SET
    event_seq = event_seq + login_told.number + checked.told,
    held_count = users.held_count + checked.new,
    updated_at = :now
  FROM checked CROSS JOIN login_told
  WHERE users.id = :user_id AND checked.lost = 0
)"""
_WORKSPACE = """
  -- After the wait for a lock only what is locked is read anew, so the membership is locked as well.
  SELECT NULL::uuid AS user_id, workspaces.id AS workspace_id, workspaces.held_count,
    workspaces.event_seq AS last_seq
  FROM viewer
  JOIN memberships ON memberships.workspace_id = :workspace_id AND memberships.user_id = viewer.id
  JOIN workspaces ON workspaces.id = memberships.workspace_id
  WHERE memberships.role = ANY (:roles::text[])
  FOR NO KEY UPDATE OF workspaces FOR SHARE OF memberships
"""
_WORKSPACE_GOES_ON = """goes_on AS (
  UPDATE workspaces SET
    event_seq = event_seq + checked.told,
    held_count = workspaces.held_count + checked.new,
    updated_at = :now
  FROM checked
  WHERE workspaces.id = checked.workspace_id AND checked.lost = 0 AND checked.taken > 0
), personal_goes_on AS (
  UPDATE users SET event_seq = event_seq + login_told.number, updated_at = :now
  FROM checked CROSS JOIN login_told
  WHERE users.id = :user_id AND checked.lost = 0
)"""


def _claiming(place: str, goes_on: str) -> str:
    """What differs is which row is the place, and whose histories go on."""
    return f"""
WITH claim AS MATERIALIZED (
  -- As JSON: the driver takes three times as long to write arrays.
  SELECT gen_random_uuid() AS hold_id, claim.* FROM ROWS FROM (json_to_recordset(:claims::json) AS
      (platform text, external_id text, display_name text, display_name_key text,
       profile_picture_url text, facebook_page_id text, access_token text)
    ) WITH ORDINALITY
    AS claim (platform, external_id, display_name, display_name_key,
      profile_picture_url, facebook_page_id, access_token, position)
), asked AS (
  SELECT count(*) AS number FROM claim
), viewer AS (
  SELECT users.id, users.name, users.held_count, users.event_seq
  FROM users JOIN api_tokens ON api_tokens.user_id = users.id
  WHERE users.id = :user_id AND api_tokens.id = :api_token_id AND revoked_at IS NULL AND expires_at > :now
  -- After the wait for a lock only what is locked is read anew, so the API token is locked as well.
  FOR NO KEY UPDATE OF users FOR SHARE OF api_tokens
), place AS ({place}
), known AS (
  SELECT social_accounts.holder_user_id, social_accounts.holder_workspace_id
  FROM claim JOIN social_accounts USING (platform, external_id)
  WHERE social_accounts.hold_id IS NOT NULL
), allowed AS (
  -- A look ahead, so that what is to be refused is not written first; the claim itself decides.
  SELECT place.* FROM place CROSS JOIN asked
  WHERE NOT EXISTS (
      SELECT FROM known
      WHERE (holder_user_id, holder_workspace_id) IS DISTINCT FROM (place.user_id, place.workspace_id))
    AND (place.held_count + asked.number - (SELECT count(*) FROM known) <= :limit
         OR (SELECT count(*) FROM known) = asked.number)
    AND NOT EXISTS (
      SELECT FROM idempotency_keys
      WHERE user_id = :user_id AND operation = :operation::text AND key = :key::text)
), login AS (
  INSERT INTO facebook_accounts
    (id, user_id, facebook_user_id, location, access_token, proof_source, checked_at, health_since,
     breaks_at, created_at, updated_at)
  SELECT :login_id, :user_id, :facebook_user_id, :location, :login_access_token, :proof_source::text,
    :proven_at::timestamptz, :now, :login_breaks_at::timestamptz, :now, :now
  FROM allowed
  ON CONFLICT (user_id, facebook_user_id) DO UPDATE SET
    location = excluded.location,
    access_token = excluded.access_token,
    proof_source = coalesce(excluded.proof_source, facebook_accounts.proof_source),
    checked_at = excluded.checked_at,
    health_since = excluded.health_since,
    health_problem = NULL,
    health_details = NULL,
    breaks_at = excluded.breaks_at,
    updated_at = excluded.updated_at
  RETURNING id, proof_source, created_at
), taken AS (
  INSERT INTO social_accounts AS held
    (id, platform, external_id, hold_id, holder_user_id, holder_workspace_id, display_name, display_name_key,
     profile_picture_url, facebook_page_id, facebook_account_id, connected_by_id, access_token,
     access_version, proof_source, proof_login, proven_at, checked_at, health_since, breaks_at,
     next_check_at, created_at, updated_at)
  SELECT hold_id, platform, external_id, hold_id, allowed.user_id, allowed.workspace_id, display_name,
    display_name_key, profile_picture_url, facebook_page_id, login.id, :user_id, access_token,
    1, :proof_source::text, :proof_login::text, :proven_at::timestamptz, :proven_at::timestamptz, :now,
    :breaks_at::timestamptz, :next_check_at::timestamptz, :now, :now
  FROM claim CROSS JOIN login CROSS JOIN allowed
  ORDER BY platform COLLATE "C", external_id COLLATE "C"
  ON CONFLICT (platform, external_id) DO UPDATE SET
    hold_id = coalesce(held.hold_id, excluded.hold_id),
    holder_user_id = excluded.holder_user_id,
    holder_workspace_id = excluded.holder_workspace_id,
    display_name = excluded.display_name,
    display_name_key = excluded.display_name_key,
    profile_picture_url = excluded.profile_picture_url,
    facebook_page_id = coalesce(excluded.facebook_page_id, held.facebook_page_id),
    facebook_account_id = excluded.facebook_account_id,
    connected_by_id = excluded.connected_by_id,
    access_token = excluded.access_token,
    proof_source = coalesce(excluded.proof_source, held.proof_source),
    checked_at = excluded.checked_at,
    health_since = excluded.health_since,
    health_problem = NULL,
    health_details = NULL,
    breaks_at = excluded.breaks_at,
    proof_login = coalesce(excluded.proof_login, held.proof_login),
    proven_at = coalesce(excluded.proven_at, held.proven_at),
    access_version = held.access_version + 1,
    doubted_at = NULL,
    next_check_at = excluded.next_check_at,
    warned_days = NULL,
    created_at = coalesce(held.created_at, excluded.created_at),
    updated_at = excluded.updated_at
  WHERE held.hold_id IS NULL OR (held.holder_user_id, held.holder_workspace_id)
    IS NOT DISTINCT FROM (excluded.holder_user_id, excluded.holder_workspace_id)
  RETURNING platform, external_id, id, hold_id, nickname, facebook_page_id, proof_source, created_at
), outcome AS (
  SELECT taken.*, taken.hold_id = claim.hold_id AS is_new, claim.position, claim.display_name
  FROM taken JOIN claim USING (platform, external_id)
), told AS (
  -- What the same user reconnects again within the hour is not told again: a loop would fill the disk.
  SELECT outcome.*, row_number() OVER (ORDER BY position) AS number FROM outcome
  -- Counted, since the planner may turn what EXISTS asks around, and read all events of the hour.
  WHERE is_new OR 0 = (
    SELECT count(*) FROM events
    WHERE subject_id = outcome.hold_id AND kind = 'SOCIAL_ACCOUNT_RECONNECTED' AND actor_id = :user_id
      AND events.created_at > :told_since)
), login_told AS (
  SELECT (login.id = :login_id OR 0 = (
    SELECT count(*) FROM events
    WHERE subject_id = login.id AND kind = 'FACEBOOK_ACCOUNT_RECONNECTED' AND actor_id = :user_id
      AND events.created_at > :told_since))::integer AS number
  FROM login
), counted AS (
  SELECT count(*) AS taken, count(*) FILTER (WHERE is_new) AS new, (SELECT count(*) FROM told) AS told
  FROM outcome
), checked AS (
  SELECT allowed.*, counted.*,
    -- Somebody was faster between the look and the claim: an error undoes the whole statement.
    CASE WHEN counted.taken < asked.number OR (counted.new > 0 AND allowed.held_count + counted.new > :limit)
      THEN ('connecting lost a race and is run again, after ' || counted.taken)::integer ELSE 0 END AS lost
  FROM allowed CROSS JOIN asked CROSS JOIN counted
), {goes_on}, history AS (
  INSERT INTO events
    (id, user_id, workspace_id, seq, kind, actor_id, actor_name, subject_id, subject_name, platform,
     request_id, details, created_at)
  SELECT gen_random_uuid(), :user_id, NULL, viewer.event_seq + 1,
    CASE WHEN login.id = :login_id THEN 'FACEBOOK_ACCOUNT_CONNECTED' ELSE 'FACEBOOK_ACCOUNT_RECONNECTED' END,
    :user_id, viewer.name, login.id, :facebook_user_id::text, NULL, :request_id::text, '{{}}'::json, :now
  FROM login CROSS JOIN viewer CROSS JOIN login_told
  WHERE login_told.number = 1
  UNION ALL
  -- In Personal the login's event comes before the accounts'.
  SELECT gen_random_uuid(), checked.user_id, checked.workspace_id,
    checked.last_seq + CASE WHEN checked.user_id IS NULL THEN 0 ELSE login_told.number END + told.number,
    CASE WHEN is_new THEN 'SOCIAL_ACCOUNT_CONNECTED' ELSE 'SOCIAL_ACCOUNT_RECONNECTED' END,
    :user_id, viewer.name, hold_id, display_name, platform, :request_id::text, '{{}}'::json, :now
  FROM told CROSS JOIN checked CROSS JOIN viewer CROSS JOIN login_told
), kept AS (
  INSERT INTO idempotency_keys (user_id, operation, key, input_hash, outcome, created_at, expires_at)
  SELECT :user_id, :operation::text, :key::text, :input_hash::bytea, json_build_object(
      'facebookAccount', login.id,
      'accounts', coalesce((
        SELECT json_agg(
          json_build_array(CASE WHEN is_new THEN 'CONNECTED' ELSE 'RECONNECTED' END, hold_id)
          ORDER BY position)
        FROM outcome), '[]'),
      'notConnected', :not_connected::json
    ), :now, :expires_at::timestamptz
  FROM login CROSS JOIN checked
  WHERE :key::text IS NOT NULL AND checked.lost = 0
)
-- The login stands beside the first account only: the driver need not read it again for each.
SELECT login.id, login.proof_source, login.created_at, outcome.is_new, outcome.id, outcome.hold_id,
  outcome.nickname, outcome.facebook_page_id, outcome.proof_source, outcome.created_at
FROM (SELECT *, 1::bigint AS position FROM login) AS login FULL JOIN outcome USING (position)
ORDER BY position
"""  # noqa: S608 - constants


INTO_PERSONAL = numbered(_claiming(_PERSONAL, _PERSONAL_GOES_ON))
INTO_WORKSPACE = numbered(_claiming(_WORKSPACE, _WORKSPACE_GOES_ON))
