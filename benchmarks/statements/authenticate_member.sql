-- Who calls, and a workspace of theirs: $1 the bearer token's SHA-256, $2 now, $3 the workspace.
SELECT u.id AS user_id, w.id, w.name, m.role
FROM api_tokens t
JOIN users u ON u.id = t.user_id
LEFT JOIN memberships m ON m.user_id = u.id AND m.workspace_id = $3
LEFT JOIN workspaces w ON w.id = m.workspace_id
WHERE t.secret_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2
