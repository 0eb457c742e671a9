-- Who calls: $1 the bearer token's SHA-256, $2 now.
SELECT u.id, u.name, u.email
FROM api_tokens t JOIN users u ON u.id = t.user_id
WHERE t.secret_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2
