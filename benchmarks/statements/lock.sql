-- Who calls, locked, and who holds what they claim: $1 the bearer token's SHA-256, $2 now, $3 Instagram ids.
WITH viewer AS MATERIALIZED (
  SELECT u.id, u.name, u.held_count
  FROM users u JOIN api_tokens t ON t.user_id = u.id
  WHERE t.secret_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2
  FOR NO KEY UPDATE OF u
)
SELECT v.id, v.name, v.held_count, s.external_id, s.holder_user_id, s.holder_workspace_id, m.role
FROM viewer v
LEFT JOIN social_accounts s
  ON s.platform = 'INSTAGRAM' AND s.external_id = ANY($3::text[]) AND s.hold_id IS NOT NULL
LEFT JOIN memberships m ON m.workspace_id = s.holder_workspace_id AND m.user_id = v.id
