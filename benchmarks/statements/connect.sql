-- Everything that connecting writes. $1 the viewer, $2 now, $3 the request's id; the Facebook account:
-- $4 its id, $5 location, $6 sealed access token; the claims: $7 Instagram ids, $8 usernames, $9 pictures,
-- $10 sealed access tokens; $11 the viewer's name. An account that does not come back is held by another.
WITH facebook AS (
  INSERT INTO facebook_accounts
    (id, user_id, facebook_user_id, location, access_token, created_at, updated_at)
  VALUES (gen_random_uuid(), $1::uuid, $4, $5, $6, $2::timestamptz, $2)
  ON CONFLICT (user_id, facebook_user_id) DO UPDATE
  SET location = excluded.location, access_token = excluded.access_token, updated_at = excluded.updated_at
  RETURNING id, facebook_user_id, location, xmax = 0 AS is_new
), claim AS MATERIALIZED (
  SELECT c.*, gen_random_uuid() AS new_id
  FROM unnest($7::text[], $8::text[], $9::text[], $10::text[]) WITH ORDINALITY
    AS c (external_id, display_name, profile_picture_url, access_token, position)
), taken AS (
  INSERT INTO social_accounts AS held
    (id, platform, external_id, hold_id, holder_user_id, display_name, display_name_key,
     profile_picture_url, facebook_account_id, connected_by_id, access_token, created_at, updated_at)
  SELECT c.new_id, 'INSTAGRAM', c.external_id, c.new_id, $1, c.display_name, lower(c.display_name),
    c.profile_picture_url, f.id, $1, c.access_token, $2, $2
  FROM claim c CROSS JOIN facebook f ORDER BY c.external_id
  ON CONFLICT (platform, external_id) DO UPDATE
  SET hold_id = coalesce(held.hold_id, excluded.hold_id), holder_user_id = excluded.holder_user_id,
    display_name = excluded.display_name, display_name_key = excluded.display_name_key,
    profile_picture_url = excluded.profile_picture_url,
    facebook_account_id = excluded.facebook_account_id, connected_by_id = excluded.connected_by_id,
    access_token = excluded.access_token, created_at = coalesce(held.created_at, excluded.created_at),
    updated_at = excluded.updated_at
  WHERE held.hold_id IS NULL OR held.holder_user_id = excluded.holder_user_id
  RETURNING held.external_id, held.hold_id, held.display_name, held.nickname, held.profile_picture_url,
    held.created_at, held.updated_at
), outcome AS MATERIALIZED (
  SELECT t.*, c.position, t.hold_id = c.new_id AS is_new FROM taken t JOIN claim c USING (external_id)
), viewer AS (
  UPDATE users
  SET event_seq = event_seq + 1 + (SELECT count(*) FROM outcome),
    held_count = held_count + (SELECT count(*) FROM outcome WHERE is_new), updated_at = $2
  WHERE id = $1
  RETURNING event_seq - (SELECT count(*) FROM outcome) AS first_seq
), written AS (
  INSERT INTO events
    (id, user_id, seq, kind, actor_id, actor_name, subject_id, subject_name, platform, request_id, details,
     created_at)
  SELECT gen_random_uuid(), $1, v.first_seq,
    CASE WHEN f.is_new THEN 'FACEBOOK_ACCOUNT_CONNECTED' ELSE 'FACEBOOK_ACCOUNT_RECONNECTED' END,
    $1, $11::text, f.id, f.facebook_user_id, NULL, $3, '{}'::json, $2
  FROM viewer v CROSS JOIN facebook f
  UNION ALL
  SELECT gen_random_uuid(), $1, v.first_seq + o.position,
    CASE WHEN o.is_new THEN 'SOCIAL_ACCOUNT_CONNECTED' ELSE 'SOCIAL_ACCOUNT_RECONNECTED' END,
    $1, $11, o.hold_id, o.display_name, 'INSTAGRAM', $3, '{}', $2
  FROM viewer v CROSS JOIN outcome o
)
SELECT f.id AS facebook_account_id, f.facebook_user_id, f.location, o.is_new, o.hold_id, o.external_id,
  o.display_name, o.nickname, o.profile_picture_url, o.created_at, o.updated_at
FROM facebook f LEFT JOIN outcome o ON true
ORDER BY o.position
